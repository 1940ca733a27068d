import { compileGlob, literalFolderOf } from '../glob.ts';
import type { DiscoveryProblem } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { byText, fileNameOf, folderOf, foldersUpwards, isWithin, resolvePath } from '../tree-paths.ts';
import { parseCargoManifest, sourceOf, type CargoManifest } from './manifest.ts';

/** A package and the workspace it is a member of; its own manifest where it stands alone. */
export interface CargoPackage {
  readonly manifest: CargoManifest;
  readonly workspace: CargoManifest;
}

export interface CargoTree {
  /** By folder. */
  readonly manifests: ReadonlyMap<string, CargoManifest>;
  /** Packages and virtual manifests that cargo would work with. */
  readonly packages: readonly CargoPackage[];
  readonly problems: readonly DiscoveryProblem[];
}

/**
 * Copies and material of tests: what lies deeper below `tests` than a package of tests would. A manifest there counts
 * only where a workspace names it as a member.
 */
const NOT_OURS =
  /(?:^|\/)(?:vendor|third[_-]party|testdata|test[_-]data|fixtures|__fixtures__|templates?|skeleton)\/|(?:^|\/)tests?\/[^/]+\/[^/]+\//u;

/** Written by builds and installations. */
const WRITTEN = /(?:^|\/)(?:target|node_modules)\//u;

export function isCargoManifest(path: string): boolean {
  return fileNameOf(path) === 'Cargo.toml' && !WRITTEN.test(path);
}

function manifestAt(text: string, path: string): CargoManifest | null {
  return parseCargoManifest(path, text);
}

/** Manifests of a repository, and which of them make a workspace together. */
export function readCargoTree(snapshot: RepositoryView): CargoTree {
  const manifests = new Map<string, CargoManifest>();
  const broken: string[] = [];
  for (const { path, type } of snapshot.listed(isCargoManifest)) {
    if (type !== 'file' && type !== 'executable') continue;
    const manifest = snapshot.parsed(path, manifestAt) ?? null;
    if (manifest === null) broken.push(path);
    else manifests.set(manifest.root, manifest);
  }
  const roots = [...manifests.values()].filter(({ workspace }) => workspace !== null);
  const membersOf = new Map(roots.map((root) => [root.root, membersIn(root, manifests)]));
  const packages = [...manifests.values()].flatMap((manifest) => placed(manifest, manifests, membersOf));
  const problems = broken.filter((path) => countsAsOurs(path, manifests, membersOf)).map(problemOf);
  return {
    manifests,
    packages: packages.sort((one, other) => byText(one.manifest.root, other.manifest.root)),
    problems,
  };
}

function problemOf(path: string): DiscoveryProblem {
  const message = `${path} is too large, no TOML, or describes neither a package nor a workspace: what it describes is not planned for`;
  return { code: 'manifest_unreadable', message, path, scope: folderOf(path) };
}

/** A manifest that cannot be read is a problem only where it would have described something. */
function countsAsOurs(
  path: string,
  manifests: ReadonlyMap<string, CargoManifest>,
  membersOf: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  const folder = folderOf(path);
  const root = rootAbove(folder, manifests);
  return root === null || isExcluded(root, folder)
    ? !NOT_OURS.test(path)
    : membersOf.get(root.root)?.has(folder) === true;
}

/** Where cargo would place a package; nowhere when it lies in a workspace that does not have it as a member. */
function placed(
  manifest: CargoManifest,
  manifests: ReadonlyMap<string, CargoManifest>,
  membersOf: ReadonlyMap<string, ReadonlySet<string>>,
): CargoPackage[] {
  const { root, path, workspace, workspacePointer } = manifest;
  const alone = NOT_OURS.test(path) ? [] : [{ manifest, workspace: manifest }];
  if (workspace !== null) return alone;
  const named = workspacePointer === null ? null : (manifests.get(workspacePointer) ?? null);
  const above = named ?? rootAbove(root, manifests);
  if (above !== null && NOT_OURS.test(above.path)) return [];
  if (above === null || (named === null && isExcluded(above, root))) return alone;
  return named !== null || membersOf.get(above.root)?.has(root) === true ? [{ manifest, workspace: above }] : [];
}

function rootAbove(folder: string, manifests: ReadonlyMap<string, CargoManifest>): CargoManifest | null {
  if (folder === '.') return null;
  const above = foldersUpwards(folderOf(folder)).find((each) => (manifests.get(each)?.workspace ?? null) !== null);
  return above === undefined ? null : (manifests.get(above) ?? null);
}

/** As cargo has it: below a folder that is excluded, and not below one that is named as a member. */
function isExcluded({ root, workspace }: CargoManifest, folder: string): boolean {
  const covers = (written: string): boolean => {
    const covered = resolvePath(root, written);
    return covered !== null && isWithin(folder, covered);
  };
  return (workspace?.exclude ?? []).some(covers) && !(workspace?.members ?? []).some(covers);
}

/** Folders that the workspace names, and those below it that its members depend on by path. */
function membersIn(root: CargoManifest, manifests: ReadonlyMap<string, CargoManifest>): Set<string> {
  const inside = [...manifests.keys()].filter((folder) => isWithin(folder, root.root));
  const belongs = (folder: string): boolean =>
    manifests.has(folder) && isWithin(folder, root.root) && !isExcluded(root, folder);
  const members = new Set((root.workspace?.members ?? []).flatMap((pattern) => matching(root.root, pattern, inside)));
  if (root.packageName !== null) members.add(root.root);
  // What is added on the way is visited too.
  for (const folder of members) {
    const manifest = manifests.get(folder);
    if (manifest === undefined) continue;
    for (const dependency of manifest.dependencies) {
      const { folder: target } = sourceOf(manifest, dependency, root);
      if (target !== null && belongs(target)) members.add(target);
    }
  }
  return new Set([...members].filter((folder) => folder === root.root || belongs(folder)));
}

/** A literal folder, or every folder with a manifest that a glob matches. */
function matching(root: string, pattern: string, folders: readonly string[]): string[] {
  const literal = resolvePath(root, pattern);
  if (literal === null) return [];
  if (!/[*?[]/u.test(pattern)) return [literal];
  const matches = compileGlob(literal);
  const start = literalFolderOf(literal);
  return folders.filter((folder) => isWithin(folder, start) && (matches === null || matches(folder)));
}
