import type { RepositoryView } from '../tracing/repository-view.ts';
import { folderOf, foldersUpwards, inFolder } from '../tree-paths.ts';
import { readCargoLock, type CargoLock } from './cargo-lock.ts';
import { cargoLinesOf, isWorkflow, type CargoLine } from './ci-lines.ts';
import type { CargoManifest } from './manifest.ts';
import { referencesOf } from './sources.ts';
import type { CargoPackage, CargoTree } from './workspaces.ts';

/** Everything about a repository that its packages are looked at with. */
export interface Surroundings {
  readonly snapshot: RepositoryView;
  readonly tree: CargoTree;
  readonly byFolder: ReadonlyMap<string, CargoPackage>;
  /** By the folder of the workspace. */
  readonly locks: ReadonlyMap<string, CargoLock>;
  /** Members of each workspace by name, as folders. */
  readonly members: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly lines: readonly CargoLine[];
  /** What sources of each unit name out of it. */
  readonly references: ReadonlyMap<string, readonly string[]>;
}

export function surroundingsOf(snapshot: RepositoryView, tree: CargoTree): Surroundings {
  const { packages } = tree;
  const roots = new Set(packages.map(({ workspace }) => workspace.root));
  const locks = new Map([...roots].map((root) => [root, lockAt(root, snapshot)]));
  const members = new Map([...roots].map((root) => [root, new Map<string, string>()]));
  for (const { manifest, workspace } of packages) {
    if (manifest.packageName !== null) members.get(workspace.root)?.set(manifest.packageName, manifest.root);
  }
  const byFolder = new Map(packages.map((each) => [each.manifest.root, each]));
  const lines = snapshot.texts(isWorkflow).flatMap(([path]) => snapshot.parsed(path, linesIn) ?? []);
  return {
    snapshot,
    tree,
    byFolder,
    locks,
    members,
    lines,
    references: referencesIn(snapshot, byFolder),
  };
}

function linesIn(text: string, path: string): readonly CargoLine[] {
  return cargoLinesOf(path, text);
}

function lockAt(root: string, { contents, files, parsed }: RepositoryView): CargoLock {
  const path = inFolder(root, 'Cargo.lock');
  if (!files.has(path)) return { kind: 'none' };
  return parsed(path, lockOf) ?? readCargoLock(path, contents.get(path));
}

function lockOf(text: string, path: string): CargoLock {
  return readCargoLock(path, text);
}

function isRustFile(path: string): boolean {
  return path.endsWith('.rs');
}

function referencesIn(snapshot: RepositoryView, packages: ReadonlyMap<string, CargoPackage>): Map<string, string[]> {
  const references = new Map<string, string[]>();
  for (const [path, condensed] of snapshot.texts(isRustFile)) {
    if (condensed === '') continue;
    const root = foldersUpwards(folderOf(path)).find((folder) => packages.has(folder));
    if (root === undefined) continue;
    const known = references.get(root) ?? [];
    references.set(root, known);
    known.push(...referencesOf(path, condensed, root, snapshot));
  }
  return references;
}

/** The manifest that a package inherits from, if any. */
export function inheritanceOf({ manifest, workspace }: CargoPackage): CargoManifest | null {
  return manifest.workspace !== null ? manifest : workspace === manifest ? null : workspace;
}
