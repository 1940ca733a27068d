import { load } from 'js-yaml';
import { compileGlob, type PathMatcher } from '../glob.ts';
import type { DiscoveryProblem, RepositorySnapshot } from '../model.ts';
import { asTexts, memberOf } from '../parsed-values.ts';
import { byText, fileNameOf, folderOf, inFolder, isWithin, relativeTo } from '../tree-paths.ts';
import type { Lock } from './external-packages.ts';
import { parsePackageManifest, type PackageManifest } from './package-manifest.ts';
import { packageManagerOf, type PackageManager } from './package-managers.ts';

export interface JavaScriptPackage {
  readonly root: string;
  readonly manifestPath: string;
  readonly manifest: PackageManifest;
}

/** Packages that are installed together. A package that stands alone is a workspace of its own. */
export interface JavaScriptWorkspace {
  readonly root: string;
  readonly manager: PackageManager;
  /** Whether a definition names members, as opposed to a package that stands alone. */
  readonly defined: boolean;
  readonly packages: readonly JavaScriptPackage[];
  readonly lock: Lock;
}

/** Folders whose manifests are somebody else's, or material of tests and generators rather than packages. */
const NOT_PACKAGES =
  /(?:^|\/)(?:node_modules|bower_components|vendor|\.yarn|fixtures|__fixtures__|test-fixtures|testdata|__tests__|templates?)\//u;

export function isPackageManifest(path: string): boolean {
  return fileNameOf(path) === 'package.json' && !NOT_PACKAGES.test(path);
}

export function readWorkspaces(snapshot: RepositorySnapshot): {
  workspaces: JavaScriptWorkspace[];
  problems: DiscoveryProblem[];
} {
  const problems: DiscoveryProblem[] = [];
  const paths = new Set(snapshot.entries.map((entry) => entry.path));
  const packages = readPackages(snapshot, problems);
  const claimed = new Set<string>();
  const workspaces: JavaScriptWorkspace[] = [];
  for (const root of rootsFromTheTop(packages, paths)) {
    if (claimed.has(root)) continue;
    const own = packages.get(root);
    const patterns = memberPatterns(root, own?.manifest, snapshot, paths, problems);
    const isMember = patterns === null ? () => false : compileMembers(root, patterns, problems);
    const members = [...packages.values()].filter(
      (each) => each.root !== root && !claimed.has(each.root) && isWithin(each.root, root) && isMember(each.root),
    );
    const all = own === undefined ? members : [own, ...members];
    for (const each of all) claimed.add(each.root);
    if (all.length === 0) continue;
    const manager = packageManagerOf(root, own?.manifest.packageManager ?? null, (path) => paths.has(path));
    const lock = lockOf(root, manager, snapshot, paths);
    if (lock.kind === 'unreadable') problems.push(lockProblem(lock, root));
    workspaces.push({ root, manager, defined: patterns !== null, packages: all, lock });
  }
  return { workspaces, problems };
}

function readPackages(snapshot: RepositorySnapshot, problems: DiscoveryProblem[]): Map<string, JavaScriptPackage> {
  const packages = new Map<string, JavaScriptPackage>();
  const manifests = snapshot.entries.filter(({ path, type }) => isPackageManifest(path) && type !== 'submodule');
  for (const { path } of manifests.toSorted((one, other) => byText(one.path, other.path))) {
    const text = snapshot.contents.get(path);
    const manifest = text === undefined ? null : parsePackageManifest(text);
    const root = folderOf(path);
    if (manifest !== null) packages.set(root, { root, manifestPath: path, manifest });
    else {
      const reason = text === undefined ? 'is too large or not text' : 'is not a JSON object';
      problems.push({
        code: 'manifest_unreadable',
        message: `${path} ${reason}: its package is not planned for`,
        path,
        scope: root,
      });
    }
  }
  return packages;
}

/** Definitions first and from the top, so that a package belongs to the outermost workspace that names it. */
function rootsFromTheTop(packages: ReadonlyMap<string, JavaScriptPackage>, paths: ReadonlySet<string>): string[] {
  const defining = [...paths].filter((path) => fileNameOf(path) === 'pnpm-workspace.yaml' && !NOT_PACKAGES.test(path));
  const roots = new Set([...packages.keys(), ...defining.map(folderOf)]);
  const defines = (root: string): boolean =>
    (packages.get(root)?.manifest.workspaces ?? null) !== null || paths.has(inFolder(root, 'pnpm-workspace.yaml'));
  const depth = (root: string): number => (root === '.' ? 0 : root.split('/').length);
  return [...roots].sort(
    (one, other) => Number(defines(other)) - Number(defines(one)) || depth(one) - depth(other) || byText(one, other),
  );
}

/** Null when the folder defines no workspace. */
function memberPatterns(
  root: string,
  manifest: PackageManifest | undefined,
  snapshot: RepositorySnapshot,
  paths: ReadonlySet<string>,
  problems: DiscoveryProblem[],
): readonly string[] | null {
  const path = inFolder(root, 'pnpm-workspace.yaml');
  if (!paths.has(path)) return manifest?.workspaces ?? null;
  const text = snapshot.contents.get(path);
  const patterns = text === undefined ? null : pnpmPatterns(text);
  if (patterns !== null) return patterns;
  const message = `${path} cannot be read as YAML with a list of packages: its members are planned one by one`;
  problems.push({ code: 'workspace_unreadable', message, path, scope: root });
  return null;
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

function lockOf(root: string, manager: PackageManager, snapshot: RepositorySnapshot, paths: ReadonlySet<string>): Lock {
  const path = manager.lockfiles.map((name) => inFolder(root, name)).find((each) => paths.has(each));
  return path === undefined ? { kind: 'none' } : manager.readLock(path, root, snapshot.contents.get(path));
}

function lockProblem(lock: { readonly path: string; readonly reason: string }, scope: string): DiscoveryProblem {
  const message = `${lock.path} is not read: ${lock.reason}. Any change of it affects all that is installed from it`;
  return { code: 'lockfile_unreadable', message, path: lock.path, scope };
}
