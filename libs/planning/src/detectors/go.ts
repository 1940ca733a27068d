import { externalClosure } from '../go/external-modules.ts';
import { importResolver } from '../go/local-imports.ts';
import { isVisibleToGo, readModules, type GoModule } from '../go/modules.ts';
import { edgesOfPackage, edgesOfWhole, lookingEdges, type GoTree } from '../go/package-edges.ts';
import { inputsOfPackage, inputsOfRootPackage } from '../go/package-inputs.ts';
import { isGoSource, readPackages, type GoPackage, type ModulePackages } from '../go/packages.ts';
import { condenseGoFile } from '../go/source-file.ts';
import type { DiscoveryProblem, Discovery, ExternalClosure, Unit, UnitCommand, UnitEdge } from '../model.ts';
import type { RepositoryView, Selection } from '../tracing/repository-view.ts';
import { plainUnit } from '../plain-unit.ts';
import { quoteForShell } from '../shell-words.ts';
import { byText, fileNameOf, foldersUpwards, inFolder, relativeTo } from '../tree-paths.ts';
import type { Detector } from './detector.ts';

/** Modules of Go, alone or joined by a `go.work`, package by package. */
export const goDetector: Detector = {
  ecosystem: 'go',
  lookedFor: 'go.mod (Go modules and workspaces)',
  wants: (path) => (READ.has(fileNameOf(path)) && isVisibleToGo(path)) || isGoSource(path),
  condense: (path, text) => (path.endsWith('.go') ? condenseGoFile(text) : null),
  detect,
};

const READ = new Set(['go.mod', 'go.work', 'go.sum']);

function detect(snapshot: RepositoryView): Discovery {
  const problems: DiscoveryProblem[] = [];
  const modules = readModules(snapshot, problems);
  const packages = readPackages(snapshot, modules);
  const looking = settleLooking(packages);
  const tree: GoTree = { modules, packages, resolve: importResolver(modules) };
  const linters = lintersIn(snapshot);
  const units: Unit[] = [];
  const edges: UnitEdge[] = [...looking];
  for (const module of [...modules.values()].sort((one, other) => byText(one.root, other.root))) {
    const terms = termsOf(module, modules, snapshot, linters);
    const found = packages.get(module.root);
    if (found?.kind === 'packages') {
      for (const each of packagesOf(module, found.packages)) {
        units.push(packageUnit(each, terms, tree, snapshot.places.has));
        edges.push(...edgesOfPackage(tree, module, each));
      }
    } else {
      units.push(wholeUnit(terms, found?.tested === true));
      edges.push(...edgesOfWhole(tree, module));
      const message = `${module.mod.module} is planned as one: ${found?.reason ?? 'nothing of it was read'}`;
      problems.push({ code: 'packages_unread', message, path: null, scope: module.root });
    }
  }
  return { units, edges, problems };
}

/** Where more packages look at whole folders than can be told, their module is planned as a whole. */
function settleLooking(packages: Map<string, ModulePackages>): UnitEdge[] {
  return [...packages].flatMap(([root, found]) => {
    if (found.kind === 'whole') return [];
    const edges = lookingEdges(found.packages);
    if (edges !== null) return edges;
    packages.set(root, { kind: 'whole', reason: 'the tests of very many packages look at all others', tested: true });
    return [];
  });
}

/** The module's own folder always has a unit: it owns what belongs to no package. */
function packagesOf({ root }: GoModule, packages: ReadonlyMap<string, GoPackage>): GoPackage[] {
  const none: GoPackage = { folder: root, production: [], tests: [], builds: 'never', testable: 'never' };
  return [packages.get(root) ?? none, ...[...packages.values()].filter(({ folder }) => folder !== root)];
}

const isLinterFile: Selection = (path) => /^\.golangci\.(?:ya?ml|toml|json)$/u.test(fileNameOf(path));

/** Configurations of golangci-lint, by folder. */
function lintersIn({ listed }: RepositoryView): ReadonlyMap<string, string> {
  return new Map(listed(isLinterFile).map(({ path }) => [path.slice(0, -fileNameOf(path).length - 1) || '.', path]));
}

/** What holds for every package of a module. */
interface ModuleTerms {
  readonly module: GoModule;
  readonly closure: ExternalClosure;
  /** Which other modules at which versions, comparable. */
  readonly versions: string;
  readonly hosts: readonly string[];
  readonly linter: { readonly run: string; readonly evidence: string };
}

/** Where modules and their checksums come from unless told otherwise. */
const MODULE_HOSTS = ['proxy.golang.org', 'sum.golang.org'];

function termsOf(
  module: GoModule,
  modules: ReadonlyMap<string, GoModule>,
  snapshot: RepositoryView,
  linters: ReadonlyMap<string, string>,
): ModuleTerms {
  const { mod, root, joined, vendored } = module;
  const here = new Set([
    ...module.replaces.flatMap(({ path, folder }) => (folder === null ? [] : [path])),
    ...joinedPaths(module, modules),
  ]);
  const downloads = mod.requires.some(({ path }) => !here.has(path));
  const configuration = foldersUpwards(root).flatMap((folder) => linters.get(folder) ?? [])[0];
  const tool = mod.tools.some((path) => /(?:^|\/)golangci-lint$/u.test(path));
  return {
    module,
    closure: externalClosure(module, modules, snapshot),
    versions: JSON.stringify([
      mod.versions,
      module.replaces.map(({ path, by, byVersion }) => [path, by, byVersion]),
      joined.toSorted(byText),
    ]),
    hosts: downloads && !vendored ? MODULE_HOSTS : [],
    linter:
      configuration === undefined
        ? { run: 'go vet', evidence: inFolder(root, 'go.mod') }
        : { run: tool ? 'go tool golangci-lint run' : 'golangci-lint run', evidence: configuration },
  };
}

function joinedPaths({ joined }: GoModule, modules: ReadonlyMap<string, GoModule>): string[] {
  return joined.flatMap((root) => modules.get(root)?.mod.module ?? []);
}

function packageUnit(each: GoPackage, terms: ModuleTerms, tree: GoTree, exists: (path: string) => boolean): Unit {
  const { module } = terms;
  const isRoot = each.folder === module.root;
  const rest = relativeTo(module.root, each.folder);
  const imports = [...each.production, ...each.tests].flatMap((file) => file.imports);
  const others = [...new Set(imports)].some((path) => tree.resolve(module, path).other);
  return {
    ...unitOf(terms, each.folder),
    name: isRoot ? module.mod.module : `${module.mod.module}/${rest}`,
    meaning: others ? terms.versions : '',
    workspaceMeaning: isRoot ? module.mod.settings : null,
    closure: others ? terms.closure : withoutPackages(terms.closure),
    commands: commandsOf(each, terms, rest),
    inputs: [
      ...(isRoot && each.production.length + each.tests.length > 0 ? inputsOfRootPackage(each) : []),
      ...(others && module.vendored ? [vendoredInput(module)] : []),
      ...inputsOfPackage(each, exists),
    ],
  };
}

/** What imports no other module is built from the repository and the toolchain alone. */
function withoutPackages(closure: ExternalClosure): ExternalClosure {
  return closure.kind === 'resolved' ? { ...closure, packages: new Map() } : closure;
}

function vendoredInput({ root }: GoModule): Unit['inputs'][number] {
  return { paths: [inFolder(root, 'vendor/**')], kinds: 'all', evidence: 'it imports modules that lie there' };
}

function wholeUnit(terms: ModuleTerms, tested: boolean): Unit {
  const { module, linter } = terms;
  const { root } = module;
  const manifest = inFolder(root, 'go.mod');
  const command = (kind: UnitCommand['kind'], run: string, evidence: string): UnitCommand => ({
    kind,
    step: { name: `${kind} ${root}`.slice(0, 200), run: `${run} ./...`, workdir: root },
    evidence,
    text: run,
    reports: [],
    outputs: [],
    joins: null,
  });
  return {
    ...unitOf(terms, root),
    name: module.mod.module,
    meaning: JSON.stringify([module.mod.settings, terms.versions]),
    workspaceMeaning: null,
    closure: terms.closure,
    commands: [
      command('build', BUILD, manifest),
      command('lint', linter.run, linter.evidence),
      ...(tested ? [command('test', 'go test', `_test.go files below ${root === '.' ? 'the root' : root}`)] : []),
    ],
    inputs: [],
  };
}

/** Without an output of its own: a single program would be written into the folder, and fail where that has its name. */
const BUILD = 'go build -o /dev/null';

type PackageOwn = 'name' | 'meaning' | 'workspaceMeaning' | 'closure' | 'commands' | 'inputs';

function unitOf({ module, hosts }: ModuleTerms, root: string): Omit<Unit, PackageOwn> {
  const { mod } = module;
  const manifest = inFolder(module.root, 'go.mod');
  const version = mod.toolchain ?? mod.go;
  return {
    ...plainUnit({ root, ecosystem: 'go', manifest }),
    workspace: module.workspace,
    hosts,
    // A runner's own toolchain or none: fetching another one would be a choice made while executing.
    env: { CI: 'true', GOTOOLCHAIN: 'local' },
    toolchain: version === null ? null : { name: 'go', version: `>=${version}`, evidence: manifest },
  };
}

function commandsOf(each: GoPackage, { module, linter }: ModuleTerms, rest: string): UnitCommand[] {
  const { builds, testable } = each;
  // A pattern passes over a package that is empty on the machine at hand; named by itself it would be an error.
  const named = quoteForShell(rest === '.' ? '.' : `./${rest}`);
  const argument = (always: boolean): string =>
    always ? named : rest === '.' ? './...' : quoteForShell(`./${rest}/...`);
  const command = (kind: UnitCommand['kind'], prefix: string, always: boolean, evidence: string): UnitCommand => ({
    kind,
    step: { name: `${kind} ${each.folder}`.slice(0, 200), run: `${prefix} ${argument(always)}`, workdir: module.root },
    evidence,
    text: prefix,
    reports: [],
    outputs: [],
    joins: { group: module.root, prefix, argument: argument(always), whole: './...' },
  });
  const manifest = inFolder(module.root, 'go.mod');
  const anything = builds === 'always' || testable === 'always';
  return [
    ...(builds === 'never' ? [] : [command('build', BUILD, builds === 'always', manifest)]),
    ...(builds === 'never' && testable === 'never' ? [] : [command('lint', linter.run, anything, linter.evidence)]),
    ...(testable === 'never'
      ? []
      : [command('test', 'go test', anything, `_test.go files of ${each.folder === '.' ? 'the root' : each.folder}`)]),
  ];
}
