import type { ExternalClosure, UnitCommand } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { folderOf } from '../tree-paths.ts';
import type { Lock } from './lock-source.ts';
import { reachable, type PackageGraph } from './locked-packages.ts';
import type { DeclaredDependency } from './package-manifest.ts';
import { declaredNames, peerNames, probableCommands, usedOfRoot, wordsOf, type RootPackages } from './root-packages.ts';
import { isToolSettings } from './wanted-files.ts';
import type { JavaScriptPackage, JavaScriptWorkspace } from './workspaces.ts';

/** What one package runs, as far as it decides which packages it needs. */
export interface Runs {
  readonly commands: readonly UnitCommand[];
  readonly typescript: boolean;
  /** Names that its sources import; null where these were not looked at. */
  readonly imports: ReadonlySet<string> | null;
}

/** What each package of a workspace can load: its own packages, and those of the root's that it uses. */
export function closuresIn(
  workspace: JavaScriptWorkspace,
  snapshot: RepositoryView,
  imported: ReadonlySet<string>,
): (each: JavaScriptPackage, runs: Runs) => ExternalClosure {
  const { lock, ownLocks, packages, root } = workspace;
  const top = packages.find((candidate) => candidate.root === root);
  if (lock.kind !== 'read' || top === undefined || packages.length === 1 || ownLocks.size > 0) {
    return (each) => closureBy(ownLocks.get(each.root) ?? lock, each, []);
  }
  const provided = lock.graph.direct(root, top.manifest.dependencies);
  const ofRoot = rootPackages(workspace, top, lock.graph, snapshot, imported);
  return (each, { commands, typescript, imports }) => {
    const apart = ownLocks.get(each.root);
    if (each === top || apart !== undefined) return closureBy(apart ?? lock, each, []);
    const used = usedOfRoot(ofRoot, {
      declared: declaredNames(each.manifest),
      expected: new Set([...peerNames(each.manifest), ...(imports ?? [])]),
      words: wordsRun(commands, top),
      typescript,
      mayLoadTools: imports === null && commands.some(({ kind }) => kind === 'test'),
    });
    return closureBy(
      lock,
      each,
      used.flatMap((name) => provided.get(name) ?? []),
    );
  };
}

function closureBy(lock: Lock, { root, manifest }: JavaScriptPackage, further: readonly string[]): ExternalClosure {
  if (lock.kind === 'none') return lock;
  if (lock.kind === 'unreadable') return { kind: 'unreadable', lockfile: lock.path, reason: lock.reason };
  return {
    kind: 'resolved',
    lockfile: lock.path,
    packages: packagesOf(lock.graph, root, manifest.dependencies, further),
  };
}

/**
 * Location to identity of everything reachable from what the package in `folder` declares and from `further`, and in
 * brackets what the lockfile says beside.
 */
export function packagesOf(
  graph: PackageGraph,
  folder: string,
  declared: readonly DeclaredDependency[],
  further: readonly string[] = [],
): ReadonlyMap<string, string> {
  const key = JSON.stringify([folder, declared, further]);
  const kept = CLOSURES.get(graph);
  const closures = kept === undefined || kept.size > CLOSURES_MAX ? new Map<string, Closure>() : kept;
  const known = closures.get(key) ?? reachedFrom(graph, folder, declared, further);
  CLOSURES.set(graph, closures.set(key, known));
  return known;
}

/** Of each lockfile that was read, by what was asked: nearly every commit asks the same again. */
const CLOSURES = new WeakMap<PackageGraph, Map<string, Closure>>();
/** The packages of a large workspace a few times over: manifests change while a lockfile stays. */
const CLOSURES_MAX = 5_000;

type Closure = ReadonlyMap<string, string>;

function reachedFrom(
  graph: PackageGraph,
  folder: string,
  declared: readonly DeclaredDependency[],
  further: readonly string[],
): ReadonlyMap<string, string> {
  const own = [...graph.direct(folder, declared).values()].flat();
  const packages = new Map<string, string>();
  for (const location of reachable([...own, ...further], graph.next)) packages.set(location, graph.identity(location));
  packages.set(`(${folder})`, graph.declarations(folder));
  if (graph.settings !== '') packages.set('(settings)', graph.settings);
  return packages;
}

function rootPackages(
  { packages, root }: JavaScriptWorkspace,
  top: JavaScriptPackage,
  graph: PackageGraph,
  snapshot: RepositoryView,
  imported: ReadonlySet<string>,
): RootPackages {
  const provided = graph.direct(root, top.manifest.dependencies);
  const members = packages.filter((each) => each !== top);
  const settings = snapshot.texts(isToolSettings).filter(([path]) => folderOf(path) === root);
  return {
    names: [...provided.keys()],
    commandsOf: (name) => {
      const noted = (provided.get(name) ?? []).map((location) => graph.binaries(location));
      return noted.flatMap((commands) => commands ?? probableCommands(name));
    },
    claimed: new Set([...imported, ...members.flatMap(({ manifest }) => [...declaredNames(manifest)])]),
    settings: wordsOf([top.manifest.settings(), ...settings.map(([, text]) => text)]),
  };
}

/** With the scripts of the root that a member's may start: Yarn runs those with a colon in their names from anywhere. */
function wordsRun(commands: readonly UnitCommand[], top: JavaScriptPackage): Set<string> {
  const words = wordsOf(commands.map(({ text }) => text));
  const texts = commands.map(({ text }) => text).join('\n');
  const global = [...top.manifest.scripts].filter(([name]) => name.includes(':') && texts.includes(name));
  for (const word of wordsOf(global.map(([, text]) => text))) words.add(word);
  return words;
}
