import type { RepositorySnapshot } from '../model.ts';
import { byText, folderOf, foldersUpwards, inFolder } from '../tree-paths.ts';
import { readCargoLock, type CargoLock } from './cargo-lock.ts';
import { cargoLinesOf, isWorkflow, type CargoLine } from './ci-lines.ts';
import type { CargoManifest } from './manifest.ts';
import { placesOf, referencesOf, type Places } from './sources.ts';
import type { CargoPackage, CargoTree } from './workspaces.ts';

/** Everything about a repository that its packages are looked at with. */
export interface Surroundings {
  readonly snapshot: RepositorySnapshot;
  readonly tree: CargoTree;
  readonly byFolder: ReadonlyMap<string, CargoPackage>;
  /** By the folder of the workspace. */
  readonly locks: ReadonlyMap<string, CargoLock>;
  /** Members of each workspace by name, as folders. */
  readonly members: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly lines: readonly CargoLine[];
  readonly places: Places;
  /** What sources of each unit name out of it. */
  readonly references: ReadonlyMap<string, readonly string[]>;
}

export function surroundingsOf(snapshot: RepositorySnapshot, tree: CargoTree): Surroundings {
  const { packages } = tree;
  const places = placesOf(snapshot);
  const roots = new Set(packages.map(({ workspace }) => workspace.root));
  const locks = new Map([...roots].map((root) => [root, lockAt(root, snapshot, places)]));
  const members = new Map([...roots].map((root) => [root, new Map<string, string>()]));
  for (const { manifest, workspace } of packages) {
    if (manifest.packageName !== null) members.get(workspace.root)?.set(manifest.packageName, manifest.root);
  }
  const byFolder = new Map(packages.map((each) => [each.manifest.root, each]));
  const lines = [...snapshot.contents]
    .filter(([path]) => isWorkflow(path))
    .sort(([one], [other]) => byText(one, other))
    .flatMap(([path, text]) => cargoLinesOf(path, text));
  return {
    snapshot,
    tree,
    byFolder,
    locks,
    members,
    lines,
    places,
    references: referencesIn(snapshot, byFolder, places),
  };
}

function lockAt(root: string, { contents }: RepositorySnapshot, { files }: Places): CargoLock {
  const path = inFolder(root, 'Cargo.lock');
  return files.has(path) ? readCargoLock(path, contents.get(path)) : { kind: 'none' };
}

function referencesIn(
  { contents }: RepositorySnapshot,
  packages: ReadonlyMap<string, CargoPackage>,
  places: Places,
): Map<string, string[]> {
  const references = new Map<string, string[]>();
  for (const [path, condensed] of contents) {
    if (condensed === '' || !path.endsWith('.rs')) continue;
    const root = foldersUpwards(folderOf(path)).find((folder) => packages.has(folder));
    if (root === undefined) continue;
    const known = references.get(root) ?? [];
    references.set(root, known);
    known.push(...referencesOf(path, condensed, root, places));
  }
  return references;
}

/** The manifest that a package inherits from, if any. */
export function inheritanceOf({ manifest, workspace }: CargoPackage): CargoManifest | null {
  return manifest.workspace !== null ? manifest : workspace === manifest ? null : workspace;
}
