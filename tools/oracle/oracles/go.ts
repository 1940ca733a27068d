import { z } from 'zod';
import { reachedFrom, type OracleAnswer, type OracleEdge } from '../comparison/answer.ts';
import { folderInClone, quoted, UnreadableAnswer, type Oracle, type Question } from './oracle.ts';
import { parsedAnswer } from './parsed-answer.ts';

/**
 * Go knows packages, the files each is made of or tested with, and what they import; what a change reaches follows from that.
 * Modules are not downloaded, so of other modules only what a package itself imports is known: the answer is a lower bound.
 */
export const go: Oracle = {
  name: 'go',
  asks: '`go list -e -json ./...` and `go mod edit -json` in every module, of each commit and the one before',
  program: 'go',
  lacks: (paths) => (moduleFoldersIn(paths).length === 0 ? 'no go.mod' : null),
  script: ({
    paths,
  }) => `export GOFLAGS=-buildvcs=false GOPROXY=off GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=1 GO111MODULE=on
export GOPATH=/workspace/go GOCACHE=/workspace/go-cache
ask() {
  printf '#module %s\\n' "$1"
  (cd "$1"; "$GO" mod edit -json; "$GO" list -e -json=${FIELDS} ./...)
}
${moduleFoldersIn(paths)
  .map((folder) => `ask ${quoted(folder)}`)
  .join('\n')}
`,
  comparesAnswers: true,
  read: (output, before, question) => readGo(output, before, question),
};

/** Files that a package is made of. */
const MADE_OF = [
  'GoFiles',
  'CgoFiles',
  'IgnoredGoFiles',
  'CFiles',
  'CXXFiles',
  'HFiles',
  'SFiles',
  'EmbedFiles',
] as const;
/** Files that only its tests are made of. */
const TESTED_WITH = ['TestGoFiles', 'XTestGoFiles', 'TestEmbedFiles', 'XTestEmbedFiles'] as const;
const FIELDS = ['Dir', 'ImportPath', 'Imports', 'TestImports', 'XTestImports', ...MADE_OF, ...TESTED_WITH].join(',');

/** Modules that are no material of tests, as Go itself leaves such folders out. */
function moduleFoldersIn(paths: readonly string[]): string[] {
  return paths
    .filter((path) => path === 'go.mod' || path.endsWith('/go.mod'))
    .filter((path) => !/(?:^|\/)(?:testdata|vendor|[_.][^/]*)\//u.test(path))
    .map((path) => path.slice(0, Math.max(0, path.lastIndexOf('/'))) || '.');
}

const Names = z.array(z.string()).default([]);
const Package = z.object({
  Dir: z.string().optional(),
  ImportPath: z.string(),
  Imports: Names,
  TestImports: Names,
  XTestImports: Names,
  ...Object.fromEntries(MADE_OF.map((name) => [name, Names])),
  ...Object.fromEntries(TESTED_WITH.map((name) => [name, Names])),
});
const Requirement = z.object({ Path: z.string(), Version: z.string().default('') });
const Module = z.object({
  Go: z.string().default(''),
  Require: z.array(Requirement).nullish(),
  Replace: z.array(z.object({ Old: Requirement.partial(), New: Requirement.partial() })).nullish(),
});

/** A package of some module of the repository. */
interface GoPackage {
  readonly root: string;
  readonly importPath: string;
  readonly imports: readonly string[];
  readonly testImports: readonly string[];
  readonly madeOf: ReadonlySet<string>;
  readonly testedWith: ReadonlySet<string>;
}

interface GoModule {
  readonly language: string;
  /** Versions, replacements included, by the path of the module that is required. */
  readonly requires: ReadonlyMap<string, string>;
  readonly packages: readonly GoPackage[];
  /** Packages that Go names and cannot load without modules that it would have to download. */
  readonly unknown: number;
}

function readGo(output: string, before: string | null, { changed }: Question): OracleAnswer {
  const now = modulesIn(output);
  const earlier = before === null ? new Map<string, GoModule>() : modulesIn(before);
  const places = new Set(changed.flatMap(({ path, oldPath }) => [path, ...(oldPath === undefined ? [] : [oldPath])]));
  const made = new Set<string>();
  const tested = new Set<string>();
  for (const [folder, module] of now) {
    const moved = requirementsChanged(module, earlier.get(folder));
    const known = new Map(earlier.get(folder)?.packages.map((each) => [each.root, each]));
    for (const each of module.packages) {
      const versions = [each, known.get(each.root) ?? each];
      if (versions.some(({ madeOf }) => hasAny(madeOf, places)) || moved(each.imports)) made.add(each.root);
      if (versions.some((one) => testsNotice(one, places)) || moved(each.testImports)) tested.add(each.root);
    }
  }
  const edges = [...now.values()].flatMap(edgesIn);
  return {
    units: [...now.values()].flatMap(({ packages }) => packages.map(({ root }) => root)),
    affected: [...reachedFrom({ made, tested }, edges)],
    edges,
    unknown: [...now.values()].reduce((sum, { unknown }) => sum + unknown, 0),
  };
}

const hasAny = (files: ReadonlySet<string>, places: ReadonlySet<string>): boolean =>
  [...places].some((place) => files.has(place));

/** By convention tests read what lies in the folder `testdata` beside them. */
function testsNotice({ root, testedWith }: GoPackage, places: ReadonlySet<string>): boolean {
  const material = root === '.' ? 'testdata/' : `${root}/testdata/`;
  return testedWith.size > 0 && (hasAny(testedWith, places) || [...places].some((place) => place.startsWith(material)));
}

/** Whether imports name a module that is another version than before. */
function requirementsChanged(now: GoModule, before: GoModule | undefined): (imports: readonly string[]) => boolean {
  if (before === undefined || before.language !== now.language) return () => true;
  const paths = new Set([...now.requires.keys(), ...before.requires.keys()]);
  const moved = [...paths].filter((path) => now.requires.get(path) !== before.requires.get(path));
  return (imports) => imports.some((name) => moved.some((path) => name === path || name.startsWith(`${path}/`)));
}

function edgesIn({ packages }: GoModule): OracleEdge[] {
  const roots = new Map(packages.map(({ importPath, root }) => [importPath, root]));
  const edgesTo = (from: string, imports: readonly string[], passesOn: boolean): OracleEdge[] =>
    imports.flatMap((name) => {
      const to = roots.get(name);
      return to === undefined || to === from ? [] : [{ from, to, passesOn }];
    });
  return packages.flatMap(({ root, imports, testImports }) => [
    ...edgesTo(root, imports, true),
    ...edgesTo(root, testImports, false),
  ]);
}

/** Modules by their folders. The output is a line for each module, what `go.mod` says, and its packages, one JSON text after the other. */
function modulesIn(output: string): Map<string, GoModule> {
  const [before = '', ...parts] = output.split(/^#module /mu);
  if (before.trim() !== '') throw new UnreadableAnswer('go', `it begins with ${before.slice(0, 100)}`);
  return new Map(
    parts.map((part) => {
      const end = part.indexOf('\n');
      const [described = '', ...packages] = part.slice(end + 1).split(/(?<=^\})\n/mu);
      return [part.slice(0, end), moduleOf(described, packages)];
    }),
  );
}

function moduleOf(described: string, packages: readonly string[]): GoModule {
  const { Go, Require, Replace } = parsedAnswer('go', Module, described);
  const requires = new Map((Require ?? []).map(({ Path, Version }) => [Path, Version]));
  for (const { Old, New } of Replace ?? []) {
    if (Old.Path !== undefined) requires.set(Old.Path, `${New.Path ?? ''}@${New.Version ?? ''}`);
  }
  const listed = packages.filter((text) => text.trim() !== '').map(packageOf);
  const loaded = listed.filter((each) => each !== null);
  return { language: Go, requires, packages: loaded, unknown: listed.length - loaded.length };
}

function packageOf(text: string): GoPackage | null {
  const parsed = parsedAnswer('go', Package, text);
  if (parsed.Dir === undefined) return null;
  const root = folderInClone(parsed.Dir);
  const filesOf = (names: readonly string[]): Set<string> => {
    const fields: Readonly<Record<string, unknown>> = parsed;
    const files = names.flatMap((name) => Names.parse(fields[name]));
    return new Set(files.map((file) => (root === '.' ? file : `${root}/${file}`)));
  };
  return {
    root,
    importPath: parsed.ImportPath,
    imports: parsed.Imports,
    testImports: [...parsed.TestImports, ...parsed.XTestImports],
    madeOf: filesOf(MADE_OF),
    testedWith: filesOf(TESTED_WITH),
  };
}
