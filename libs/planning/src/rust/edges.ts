import { reachable } from '../javascript/locked-packages.ts';
import type { DependencyKind, UnitEdge } from '../model.ts';
import { inFolder } from '../tree-paths.ts';
import type { CargoClosure } from './cargo-lock.ts';
import { sourceOf } from './manifest.ts';
import { inheritanceOf, type Surroundings } from './surroundings.ts';
import type { CargoPackage } from './workspaces.ts';

/** A package and what its lockfile says that it gets; null without one. */
export interface LockedMember {
  readonly each: CargoPackage;
  readonly closure: CargoClosure | null;
}

/** What packages of the repository need of each other, by their manifests, their patches and their lockfile. */
export function edgesOf(around: Surroundings, members: readonly LockedMember[]): UnitEdge[] {
  const known = members.flatMap(({ each, closure }) => [
    ...declaredEdges(around, each),
    ...metEdges(around, each, closure),
    ...replacedEdges(around, each),
  ]);
  return withoutRepeats([...suspectedEdges(around, known), ...known]);
}

/** One edge of each kind between two units; of several, the last one written. */
function withoutRepeats(edges: readonly UnitEdge[]): UnitEdge[] {
  return [...new Map(edges.map((edge) => [`${edge.from}\n${edge.to}\n${edge.kind}`, edge])).values()];
}

function declaredEdges({ byFolder }: Surroundings, each: CargoPackage): UnitEdge[] {
  const { manifest } = each;
  return manifest.dependencies.flatMap((dependency): UnitEdge[] => {
    const { folder } = sourceOf(manifest, dependency, inheritanceOf(each));
    if (folder === null || folder === manifest.root || !byFolder.has(folder)) return [];
    const { name, kind, table, inherited } = dependency;
    const evidence = `${name} among the ${table} of ${manifest.path}${inherited ? `, whose path is in ${each.workspace.path}` : ''}`;
    return [{ from: manifest.root, to: folder, kind, evidence }];
  });
}

/** Packages of the repository that others from outside ask for, as the lockfile has it. */
function metEdges(
  { members }: Surroundings,
  { manifest, workspace }: CargoPackage,
  closure: CargoClosure | null,
): UnitEdge[] {
  const ofWorkspace = members.get(workspace.root);
  const lock = inFolder(workspace.root, 'Cargo.lock');
  return (closure?.members ?? []).flatMap(({ name, askedBy }): UnitEdge[] => {
    const to = ofWorkspace?.get(name) ?? manifest.root;
    if (to === manifest.root) return [];
    return [{ from: manifest.root, to, kind: 'production', evidence: `${askedBy} asks for ${name} in ${lock}` }];
  });
}

/** Packages of the repository that stand in for published ones, for those who ask for these by name. */
function replacedEdges(around: Surroundings, each: CargoPackage): UnitEdge[] {
  const { manifest, workspace } = each;
  return workspace.patches.flatMap(({ name, folder, table }) => {
    if (folder === manifest.root || !around.byFolder.has(folder)) return [];
    const evidence = `${name} is replaced by ${table} of ${workspace.path}`;
    return externalKinds(each, (asked) => asked === name).map((kind) => ({
      from: manifest.root,
      to: folder,
      kind,
      evidence,
    }));
  });
}

function externalKinds(each: CargoPackage, isMeant: (name: string) => boolean): DependencyKind[] {
  return each.manifest.dependencies.flatMap((dependency) => {
    const source = sourceOf(each.manifest, dependency, inheritanceOf(each));
    return source.folder === null && isMeant(source.package) ? [dependency.kind] : [];
  });
}

/**
 * Without a lockfile anything from outside may ask for what is replaced, except where that would close a circle, which
 * cargo refuses.
 */
function suspectedEdges({ tree, byFolder, locks }: Surroundings, known: readonly UnitEdge[]): UnitEdge[] {
  const needing = new Set<string>();
  const next = new Map<string, string[]>();
  for (const { from, to, kind } of known) {
    needing.add(`${kind === 'development' ? kind : 'production'} ${from}\n${to}`);
    if (kind !== 'development') next.set(from, [...(next.get(from) ?? []), to]);
  }
  const unlocked = tree.packages.filter(({ workspace }) => locks.get(workspace.root)?.kind !== 'read');
  const folders = new Set(unlocked.flatMap(({ workspace }) => workspace.patches.map(({ folder }) => folder)));
  const needs = new Map([...folders].map((folder) => [folder, reachable([folder], (at) => next.get(at) ?? [])]));
  return unlocked.flatMap((each) => {
    const { manifest, workspace } = each;
    const kinds = externalKinds(each, () => true);
    return workspace.patches.flatMap(({ name, folder, table }): UnitEdge[] => {
      const elsewhere = folder !== manifest.root && byFolder.has(folder);
      const circular = needs.get(folder)?.has(manifest.root) === true;
      const made = !circular && kinds.some((kind) => kind !== 'development');
      if (!elsewhere || (!made && !kinds.includes('development'))) return [];
      const kind = made ? 'production' : 'development';
      const isKnown = (how: string): boolean => needing.has(`${how} ${manifest.root}\n${folder}`);
      if (isKnown('production') || isKnown(kind)) return [];
      const evidence = `${name} is replaced by ${table} of ${workspace.path}, and no lockfile says who asks for it`;
      return [{ from: manifest.root, to: folder, kind, evidence }];
    });
  });
}
