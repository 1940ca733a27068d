import type { Discovery, DiscoveryProblem, RepositorySnapshot, Unit, UnitCommand, UnitEdge } from '../model.ts';
import { parseGoMod, parseGoWork, type GoMod } from '../go/module-files.ts';
import { byText, fileNameOf, folderOf, foldersUpwards, inFolder, resolvePath } from '../tree-paths.ts';
import type { Detector } from './detector.ts';

/** Modules of Go, alone or joined by a `go.work`. */
export const goDetector: Detector = {
  ecosystem: 'go',
  lookedFor: 'go.mod (Go modules and workspaces)',
  wants: isGoFile,
  condense: null,
  detect,
};

const READ = new Set(['go.mod', 'go.work', 'go.sum']);

/** Vendored modules are copies, and what lies under `testdata` or begins with `_` is invisible to the go command. */
const INVISIBLE = /(?:^|\/)(?:vendor|testdata|_[^/]*|node_modules)\//u;

function isGoFile(path: string): boolean {
  return READ.has(fileNameOf(path)) && !INVISIBLE.test(path);
}

interface GoModule {
  readonly root: string;
  readonly mod: GoMod;
  /** Roots of the modules of the same `go.work`; empty when none names it. */
  readonly joined: readonly string[];
  readonly workspace: string;
}

function detect(snapshot: RepositorySnapshot): Discovery {
  const problems: DiscoveryProblem[] = [];
  const mods = readModules(snapshot, problems);
  const works = readWorkspaces(snapshot, problems);
  const modules = [...mods].map(([root, mod]): GoModule => {
    const work = works.find(({ uses }) => uses.includes(root));
    return { root, mod, joined: work?.uses ?? [], workspace: work?.root ?? root };
  });
  const facts = factsOf(snapshot, mods);
  const edges = modules.flatMap((module) => edgesOf(module, modules));
  return { units: modules.map((module) => unitOf(module, edges, snapshot, facts)), edges, problems };
}

function readModules(snapshot: RepositorySnapshot, problems: DiscoveryProblem[]): Map<string, GoMod> {
  const modules = new Map<string, GoMod>();
  for (const path of pathsNamed(snapshot, 'go.mod')) {
    const mod = parseGoMod(snapshot.contents.get(path) ?? '');
    if (mod !== null) modules.set(folderOf(path), mod);
    else {
      const message = `${path} names no module: what it describes is not planned for`;
      problems.push({ code: 'manifest_unreadable', message, path, scope: folderOf(path) });
    }
  }
  return modules;
}

function readWorkspaces(
  snapshot: RepositorySnapshot,
  problems: DiscoveryProblem[],
): { readonly root: string; readonly uses: readonly string[] }[] {
  return pathsNamed(snapshot, 'go.work').map((path) => {
    const root = folderOf(path);
    const text = snapshot.contents.get(path);
    if (text === undefined) {
      const message = `${path} is too large or not text: its modules are planned one by one`;
      problems.push({ code: 'workspace_unreadable', message, path, scope: root });
    }
    const uses = parseGoWork(text ?? '').map((folder) => resolvePath(root, folder));
    return { root, uses: uses.filter((folder) => folder !== null) };
  });
}

function pathsNamed(snapshot: RepositorySnapshot, name: string): string[] {
  const paths = snapshot.entries.map(({ path }) => path).filter((path) => fileNameOf(path) === name && isGoFile(path));
  return paths.sort(byText);
}

/** A requirement is served from the repository where a `replace` leads to a folder, or where a `go.work` joins both. */
function edgesOf(module: GoModule, modules: readonly GoModule[]): UnitEdge[] {
  const { root, mod, joined } = module;
  return mod.requires.flatMap(({ path }): UnitEdge[] => {
    const replaced = mod.replaces.find((replace) => replace.path === path);
    const local = replaced === undefined || !/^\.{1,2}\//u.test(replaced.by) ? null : resolvePath(root, replaced.by);
    const target = modules.find((each) =>
      local !== null ? each.root === local : joined.includes(each.root) && each.mod.module === path,
    );
    if (target === undefined || target.root === root) return [];
    const how =
      local === null ? `joined by ${inFolder(module.workspace, 'go.work')}` : `replaced by ${replaced?.by ?? ''}`;
    return [
      {
        from: root,
        to: target.root,
        kind: 'production',
        evidence: `require ${path} of ${inFolder(root, 'go.mod')}, ${how}`,
      },
    ];
  });
}

interface ModuleFacts {
  readonly tested: ReadonlySet<string>;
  readonly vendored: ReadonlySet<string>;
}

/** Which modules have tests, and which carry their dependencies with them. */
function factsOf(snapshot: RepositorySnapshot, mods: ReadonlyMap<string, GoMod>): ModuleFacts {
  const tested = new Set<string>();
  const vendored = new Set<string>();
  for (const { path } of snapshot.entries) {
    if (path.endsWith('vendor/modules.txt')) vendored.add(folderOf(folderOf(path)));
    if (!path.endsWith('_test.go')) continue;
    const root = foldersUpwards(folderOf(path)).find((folder) => mods.has(folder));
    if (root !== undefined) tested.add(root);
  }
  return { tested, vendored };
}

/** Where modules and their checksums come from unless told otherwise. */
const MODULE_HOSTS = ['proxy.golang.org', 'sum.golang.org'];

function unitOf(module: GoModule, edges: readonly UnitEdge[], snapshot: RepositorySnapshot, facts: ModuleFacts): Unit {
  const { root, mod } = module;
  const own = edges.filter(({ from }) => from === root);
  const vendored = facts.vendored.has(root) || facts.vendored.has(module.workspace);
  const version = mod.toolchain ?? mod.go;
  return {
    id: root,
    name: mod.module,
    root,
    ecosystem: 'go',
    workspace: module.workspace,
    manifest: inFolder(root, 'go.mod'),
    meaning: JSON.stringify([mod.meaning, module.joined.toSorted(byText)]),
    workspaceMeaning: null,
    closure: sumsOf(root, snapshot),
    commands: commandsOf(root, facts.tested.has(root)),
    inputs: [],
    caches: [],
    install: [],
    hosts: needsDownloads(module, own) && !vendored ? MODULE_HOSTS : [],
    // A runner's own toolchain or none: fetching another one would be a choice made while executing.
    env: { CI: 'true', GOTOOLCHAIN: 'local' },
    toolchain: version === null ? null : { name: 'go', version: `>=${version}`, evidence: inFolder(root, 'go.mod') },
    typescript: false,
    buildsFirst: [],
    buildBeforeTest: false,
  };
}

/** Also through modules of the repository: what they require has to be there when they are compiled. */
function needsDownloads({ mod }: GoModule, own: readonly UnitEdge[]): boolean {
  return mod.requires.length > own.length;
}

/** Checksums of everything a module may load. Coarser than what it does load: any difference counts. */
function sumsOf(root: string, snapshot: RepositorySnapshot): Unit['closure'] {
  const lockfile = inFolder(root, 'go.sum');
  if (!snapshot.entries.some(({ path }) => path === lockfile)) return { kind: 'none' };
  const text = snapshot.contents.get(lockfile);
  if (text === undefined) return { kind: 'unreadable', lockfile, reason: 'it is too large or not text' };
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const sums = lines.map((line): [string, string] => {
    const [path = '', version = '', sum = ''] = line.split(/\s+/u);
    return [`${path} ${version}`, sum];
  });
  return { kind: 'resolved', lockfile, packages: new Map(sums) };
}

function commandsOf(root: string, tested: boolean): UnitCommand[] {
  const manifest = inFolder(root, 'go.mod');
  const command = (kind: UnitCommand['kind'], run: string, evidence: string): UnitCommand => ({
    kind,
    step: { name: `${kind} ${root}`.slice(0, 200), run, workdir: root },
    evidence,
    text: run,
    reports: [],
    outputs: [],
    joins: null,
  });
  return [
    command('build', 'go build ./...', manifest),
    command('lint', 'go vet ./...', manifest),
    ...(tested ? [command('test', 'go test ./...', `_test.go files below ${root === '.' ? 'the root' : root}`)] : []),
  ];
}
