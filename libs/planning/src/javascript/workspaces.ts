import { load } from 'js-yaml';
import { compileGlob, type PathMatcher } from '../glob.ts';
import type { DiscoveryProblem } from '../model.ts';
import { isSame, type Paths, type Question, type RepositoryView, type Selection } from '../tracing/repository-view.ts';
import { asRecord, asText, asTexts, memberOf, sortedText } from '../parsed-values.ts';
import { byText, fileNameOf, folderOf, inFolder, isWithin, relativeTo } from '../tree-paths.ts';
import { isNxProject, isNxSettings } from '../nx/nx-files.ts';
import type { LockMemory } from './lock-memory.ts';
import type { Lock, LockSource } from './lock-source.ts';
import { isBerryLock } from './yarn-lock.ts';
import { parseJsonWithComments } from './json-with-comments.ts';
import { manifestOtherwise, parsePackageManifest, type PackageManifest } from './package-manifest.ts';
import { packageManagerOf, type PackageManager } from './package-managers.ts';

export interface JavaScriptPackage {
  readonly root: string;
  readonly manifestPath: string;
  readonly manifest: PackageManifest;
  /** Whether a `project.json` makes the folder a project of Nx, be it a package or not. */
  readonly isProject: boolean;
}

/** Packages that are installed together. A package that stands alone is a workspace of its own. */
export interface JavaScriptWorkspace {
  readonly root: string;
  readonly manager: PackageManager;
  /** Whether a definition names members, as opposed to a package that stands alone. */
  readonly defined: boolean;
  readonly packages: readonly JavaScriptPackage[];
  readonly lock: Lock;
  /** Whether it is Yarn's of version 2 or newer, by its files. */
  readonly berry: boolean;
  /** Whether the package manager knows the members, and can be asked in the workspace's root to run their scripts. */
  readonly runsMembers: boolean;
  /** Whether members are linked to each other by Lerna, because no package manager does it. */
  readonly linkedByLerna: boolean;
  /** Lockfiles of members, by their roots, where the workspace as a whole has none. */
  readonly ownLocks: ReadonlyMap<string, Lock>;
}

/** Folders whose manifests are somebody else's, or material of tests and generators rather than packages. */
const NOT_PACKAGES =
  /(?:^|\/)(?:node_modules|bower_components|vendor|\.yarn|fixtures|__fixtures__|test-fixtures|testdata|__tests__|templates?)\//u;

export function isPackageManifest(path: string): boolean {
  return fileNameOf(path) === 'package.json' && !NOT_PACKAGES.test(path);
}

const isManifest: Selection = (path, type) => isPackageManifest(path) && type !== 'submodule';
const isPnpmWorkspace: Selection = (path) => fileNameOf(path) === 'pnpm-workspace.yaml' && !NOT_PACKAGES.test(path);

interface WorkspacesRead {
  readonly workspaces: readonly JavaScriptWorkspace[];
  readonly problems: readonly DiscoveryProblem[];
}

/** Several ecosystems ask, and the answer stands while no manifest and nothing that names members changes. */
export const WORKSPACES: Question<WorkspacesRead> = {
  answer: (view, { locks }) => readFrom(view, locks),
  same: isSame,
};

function readFrom(snapshot: RepositoryView, locks: LockMemory): WorkspacesRead {
  const problems: DiscoveryProblem[] = [];
  const paths = snapshot.files;
  const packages = readPackages(snapshot, paths, problems);
  const own = ownPackages(packages);
  const claimed = new Set<string>();
  const workspaces: JavaScriptWorkspace[] = [];
  for (const root of rootsFromTheTop(packages, snapshot)) {
    if (claimed.has(root)) continue;
    const top = packages.get(root);
    const patterns = memberPatterns(root, top?.manifest, snapshot, paths, problems);
    const manager = packageManagerOf(root, top?.manifest.packageManager ?? null, (path) => paths.has(path));
    const isNamed = patterns === null ? () => false : compileMembers(root, patterns, problems);
    const isNx = paths.has(inFolder(root, 'nx.json'));
    const isMember = (each: JavaScriptPackage): boolean => isNamed(each.root) || (isNx && each.isProject);
    const candidates = patterns === null && !isNx ? [] : [...packages.values()];
    const free = candidates.filter(({ root: folder }) => folder !== root && !claimed.has(folder));
    const named = free.filter((each) => isWithin(each.root, root) && isMember(each));
    const members = manager.name === 'yarn' ? withMembersOf(named, free, problems) : named;
    const all = top === undefined ? members : [top, ...members];
    for (const each of all) claimed.add(each.root);
    if (all.length === 0) continue;
    const lockIn = (folder: string): Lock => lockOf({ folder, manager, snapshot, paths, own, locks });
    const lock = lockIn(root);
    // Lerna's members had lockfiles each, and pnpm's may have.
    const apart = lock.kind === 'none' || isLerna(root, top?.manifest, paths);
    const locked = (apart ? members : []).map((each) => [each.root, lockIn(each.root)] as const);
    const ownLocks = new Map(locked.filter(([, { kind }]) => kind !== 'none'));
    for (const each of [lock, ...ownLocks.values()]) {
      if (each.kind === 'unreadable') problems.push(lockProblem(each, root));
    }
    workspaces.push({
      root,
      manager,
      defined: patterns !== null || members.length > 0,
      packages: all,
      lock,
      ownLocks,
      runsMembers: patterns !== null && !isLerna(root, top?.manifest, paths),
      berry: isBerry(root, snapshot, paths),
      linkedByLerna: members.length > 0 && isLerna(root, top?.manifest, paths) && declaresLerna(top?.manifest),
    });
  }
  return { workspaces, problems };
}

/** Yarn takes members of members in, where these define workspaces themselves. */
function withMembersOf(
  members: readonly JavaScriptPackage[],
  free: readonly JavaScriptPackage[],
  problems: DiscoveryProblem[],
): JavaScriptPackage[] {
  const all = new Set(members);
  // A set is iterated in order of insertion, and what is added on the way is visited too.
  for (const { root, manifest } of all) {
    if (manifest.workspaces === null) continue;
    const isNamed = compileMembers(root, manifest.workspaces, problems);
    for (const each of free) if (each.root !== root && isWithin(each.root, root) && isNamed(each.root)) all.add(each);
  }
  return [...all];
}

function readPackages(
  snapshot: RepositoryView,
  paths: Paths,
  problems: DiscoveryProblem[],
): Map<string, JavaScriptPackage> {
  const packages = new Map<string, JavaScriptPackage>();
  for (const { path } of snapshot.listed(isManifest)) {
    const parsed = snapshot.parsed(path, parsePackageManifest);
    const manifest = parsed ?? null;
    const root = folderOf(path);
    const isProject = paths.has(inFolder(root, 'project.json'));
    if (manifest !== null) packages.set(root, { root, manifestPath: path, manifest, isProject });
    else {
      const reason = parsed === undefined ? 'is too large or not text' : 'is not a JSON object';
      problems.push({
        code: 'manifest_unreadable',
        message: `${path} ${reason}: its package is not planned for`,
        path,
        scope: root,
      });
    }
  }
  for (const each of projectsAlone(snapshot)) packages.set(each.root, each);
  return packages;
}

/** Projects of Nx that are no packages: what they need is installed for the workspace as a whole. */
function projectsAlone({ listed, parsed, files }: RepositoryView): JavaScriptPackage[] {
  const roots = listed(isNxSettings).map(({ path }) => folderOf(path));
  if (roots.length === 0) return [];
  return listed(isNxProject)
    .map(({ path }) => path)
    .filter((path) => !NOT_PACKAGES.test(path) && !files.has(inFolder(folderOf(path), 'package.json')))
    .filter((path) => roots.some((root) => isWithin(path, root)))
    .flatMap((path): JavaScriptPackage[] => {
      const project = asRecord(parsed(path, parseJsonWithComments));
      if (project === null) return [];
      const manifest = manifestOtherwise(asText(memberOf(project, 'name')), sortedText(project));
      return [{ root: folderOf(path), manifestPath: path, manifest, isProject: true }];
    });
}

/** Definitions first and from the top, so that a package belongs to the outermost workspace that names it. */
function rootsFromTheTop(
  packages: ReadonlyMap<string, JavaScriptPackage>,
  { listed, files }: RepositoryView,
): string[] {
  const defining = listed(isPnpmWorkspace).map(({ path }) => folderOf(path));
  const roots = new Set([...packages.keys(), ...defining]);
  const defines = (root: string): boolean =>
    (packages.get(root)?.manifest.workspaces ?? null) !== null ||
    ['pnpm-workspace.yaml', 'lerna.json', 'nx.json'].some((name) => files.has(inFolder(root, name)));
  const depth = (root: string): number => (root === '.' ? 0 : root.split('/').length);
  return [...roots].sort(
    (one, other) => Number(defines(other)) - Number(defines(one)) || depth(one) - depth(other) || byText(one, other),
  );
}

/** Null when the folder defines no workspace. */
function memberPatterns(
  root: string,
  manifest: PackageManifest | undefined,
  snapshot: RepositoryView,
  paths: Paths,
  problems: DiscoveryProblem[],
): readonly string[] | null {
  const path = inFolder(root, 'pnpm-workspace.yaml');
  if (!paths.has(path)) return manifest?.workspaces ?? lernaPatterns(root, snapshot);
  const text = snapshot.contents.get(path);
  const patterns = text === undefined ? null : pnpmPatterns(text);
  if (patterns !== null) return patterns;
  const message = `${path} cannot be read as YAML with a list of packages: its members are planned one by one`;
  problems.push({ code: 'workspace_unreadable', message, path, scope: root });
  return null;
}

function isLerna(root: string, manifest: PackageManifest | undefined, paths: Paths): boolean {
  const others = (manifest?.workspaces ?? null) !== null || paths.has(inFolder(root, 'pnpm-workspace.yaml'));
  return !others && paths.has(inFolder(root, 'lerna.json'));
}

function declaresLerna(manifest: PackageManifest | undefined): boolean {
  return manifest?.dependencies.some(({ name }) => name === 'lerna') === true;
}

/** Before package managers had workspaces of their own, Lerna linked packages to each other. */
function lernaPatterns(root: string, { contents }: RepositoryView): readonly string[] | null {
  const text = contents.get(inFolder(root, 'lerna.json'));
  return text === undefined ? null : asTexts(memberOf(parseJsonWithComments(text), 'packages'));
}

/** Without `packages` the file holds settings alone, and the root is the only member. */
function pnpmPatterns(text: string): readonly string[] | null {
  try {
    const packages = memberOf(load(text, { maxAliases: 0 }), 'packages');
    return packages === undefined || packages === null ? [] : asTexts(packages);
  } catch {
    // Whatever the parser stumbled over: the caller names the file.
    return null;
  }
}

/** The last pattern that matches decides, so that a negation takes away from what stands before it. */
function compileMembers(root: string, patterns: readonly string[], problems: DiscoveryProblem[]): PathMatcher {
  const compiled = patterns.map((pattern) => {
    const negated = pattern.startsWith('!');
    const matches = compileGlob(negated ? pattern.slice(1) : pattern);
    if (matches === null) {
      const message = `the workspace pattern "${pattern.slice(0, 200)}" uses syntax that is not read here; what it names stands alone`;
      problems.push({ code: 'pattern_unreadable', message, path: null, scope: root });
    }
    return { negated, matches };
  });
  return (folder) => {
    const name = relativeTo(root, folder);
    return compiled.findLast(({ matches }) => matches?.(name) === true)?.negated === false;
  };
}

function isBerry(root: string, { contents }: RepositoryView, paths: Paths): boolean {
  return paths.has(inFolder(root, '.yarnrc.yml')) || isBerryLock(contents.get(inFolder(root, 'yarn.lock')) ?? '');
}

interface LockPlace {
  readonly folder: string;
  readonly manager: PackageManager;
  readonly snapshot: RepositoryView;
  readonly paths: Paths;
  readonly own: Pick<LockSource, 'roots' | 'names'>;
  readonly locks: LockMemory;
}

function ownPackages(packages: ReadonlyMap<string, JavaScriptPackage>): LockPlace['own'] {
  const names = [...packages.values()].flatMap(({ manifest }) => (manifest.name === null ? [] : [manifest.name]));
  return { roots: new Set(packages.keys()), names: new Set(names) };
}

function lockOf({ folder, manager, snapshot, paths, own, locks }: LockPlace): Lock {
  const path = manager.lockfiles.map((name) => inFolder(folder, name)).find((each) => paths.has(each));
  if (path === undefined) return { kind: 'none' };
  return locks.read(manager, { path, workspace: folder, text: snapshot.contents.get(path), ...own });
}

function lockProblem(lock: { readonly path: string; readonly reason: string }, scope: string): DiscoveryProblem {
  const message = `${lock.path} is not read: ${lock.reason}. Any change of it affects all that is installed from it`;
  return { code: 'lockfile_unreadable', message, path: lock.path, scope };
}
