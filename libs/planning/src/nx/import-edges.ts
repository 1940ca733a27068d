import type { DeclaredInput, UnitEdge } from '../model.ts';
import { asRecord, asText, asTexts, memberOf } from '../parsed-values.ts';
import { parseJsonWithComments } from '../javascript/json-with-comments.ts';
import { importsOf, isSource } from '../javascript/source-imports.ts';
import { isJavaScriptFile } from '../javascript/wanted-files.ts';
import { byText, folderOf, foldersUpwards, inFolder, resolvePath } from '../tree-paths.ts';
import { excludedProjects } from './project-edges.ts';
import type { NxWorkspace } from './projects.ts';

/** What sources of projects import: of each other, as edges, and by their roots the names of packages from elsewhere. */
export interface ProjectImports {
  readonly edges: readonly UnitEdge[];
  readonly packages: ReadonlyMap<string, ReadonlySet<string>>;
  /** What stands in for imports that cannot be told, by the roots of projects. */
  readonly unread: ReadonlyMap<string, DeclaredInput>;
}

/** Goes through what was kept of each source file. A name is of the repository when an alias or a package has it. */
export function importsIn(nx: NxWorkspace, tooMany: boolean): ProjectImports {
  if (tooMany) {
    const because = 'there are too many sources to look at what they import, so any may be imported';
    const unread = new Map([...nx.projects.keys()].map((root) => [root, everythingOf(nx, because)]));
    return { edges: [], packages: new Map(), unread };
  }
  const ownerOf = (path: string): string | undefined =>
    foldersUpwards(path).find((folder) => nx.projects.has(folder) && folder !== nx.workspace.root);
  const resolve = resolverFor(nx, ownerOf);
  const excluded = new Map([...nx.projects].map(([root, project]) => [root, excludedProjects(nx, project)]));
  const edges = new Map<string, UnitEdge>();
  const packages = new Map<string, Set<string>>();
  for (const [path, names] of sourcesOf(nx)) {
    const from = ownerOf(path);
    if (from === undefined) continue;
    for (const name of names.split('\n')) {
      if (name === '') continue;
      const to = resolve(path, name);
      if (to === null) packages.set(from, (packages.get(from) ?? new Set()).add(packageOf(name)));
      else if (to !== from && excluded.get(from)?.has(to) !== true) {
        const key = `${from}\n${to}`;
        const evidence = `${path} imports ${name.slice(0, 200)}`;
        if (!edges.has(key)) edges.set(key, { from, to, kind: 'production', evidence });
      }
    }
  }
  return { edges: [...edges.values()], packages, unread: unreadSources(nx, ownerOf) };
}

/** All projects; what belongs to none stays something that everybody may read. */
function everythingOf({ workspace, projects }: NxWorkspace, evidence: string): DeclaredInput {
  const roots = [...projects.keys()].filter((root) => root !== workspace.root);
  return { paths: roots.map((root) => inFolder(root, '**')), kinds: 'all', evidence };
}

/** A source that is too large or no text may import anything. */
function unreadSources(nx: NxWorkspace, ownerOf: (path: string) => string | undefined): Map<string, DeclaredInput> {
  const unread = new Map<string, DeclaredInput>();
  for (const { path, type } of nx.snapshot.listed(isSource)) {
    const root = type !== 'submodule' && !nx.snapshot.contents.has(path) ? ownerOf(path) : undefined;
    if (root === undefined) continue;
    unread.set(root, everythingOf(nx, `${path} is too large or not text, so it may import any other`));
  }
  return unread;
}

function sourcesOf({ snapshot }: NxWorkspace): [path: string, names: string][] {
  // Settings of tools are kept whole, and import too.
  return snapshot
    .texts(isSource)
    .map(([path, text]) => [path, isJavaScriptFile(path) ? (snapshot.parsed(path, importsOf) ?? '') : text]);
}

type Resolve = (path: string, name: string) => string | null;

function resolverFor(nx: NxWorkspace, ownerOf: (path: string) => string | undefined): Resolve {
  const aliases = aliasesOf(nx);
  const byName = new Map(nx.workspace.packages.map(({ manifest, root }) => [manifest.name, root]));
  const known = new Map<string, string | null>();
  const named = (name: string): string | null => {
    const target = aliases.find(({ matches }) => matches(name))?.target ?? null;
    const root = target === null ? byName.get(packageOf(name)) : ownerOf(target);
    return root ?? null;
  };
  return (path, name) => {
    if (name.startsWith('.')) {
      const target = resolvePath(folderOf(path), name);
      return (target === null ? undefined : ownerOf(target)) ?? ownerOf(path) ?? null;
    }
    const earlier = known.get(name);
    if (earlier !== undefined) return earlier;
    const found = named(name);
    known.set(name, found);
    return found;
  };
}

interface Alias {
  readonly matches: (name: string) => boolean;
  /** Where it leads, up to a `*`. */
  readonly target: string;
}

/** `paths` of the workspace's own TypeScript settings; exact names before those with a `*`, the longest first. */
function aliasesOf({ workspace, snapshot }: NxWorkspace): Alias[] {
  const names = ['tsconfig.base.json', 'tsconfig.json'].map((name) => inFolder(workspace.root, name));
  const text = names.map((name) => snapshot.contents.get(name)).find((each) => each?.includes('"paths"') === true);
  const options = text === undefined ? undefined : memberOf(parseJsonWithComments(text), 'compilerOptions');
  const folder = resolvePath(workspace.root, asText(memberOf(options, 'baseUrl')) ?? '.') ?? workspace.root;
  const paths = Object.entries(asRecord(memberOf(options, 'paths')) ?? {});
  const rank = (name: string): number => (name.includes('*') ? name.length : Number.MAX_SAFE_INTEGER);
  return paths
    .sort(([one], [other]) => rank(other) - rank(one) || byText(one, other))
    .flatMap(([name, targets]): Alias[] => {
      const [first] = asTexts(targets) ?? [];
      const target = first === undefined ? null : resolvePath(folder, first.replace(/\*.*$/u, ''));
      return target === null ? [] : [{ matches: matcherOf(name), target }];
    });
}

function matcherOf(alias: string): Alias['matches'] {
  const star = alias.indexOf('*');
  if (star < 0) return (name) => name === alias;
  const [before, after] = [alias.slice(0, star), alias.slice(star + 1)];
  return (name) => name.length >= alias.length - 1 && name.startsWith(before) && name.endsWith(after);
}

/** `@scope/name` of `@scope/name/deep`. */
function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}
