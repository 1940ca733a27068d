import type { Discovery, Unit, UnitEdge } from '../model.ts';
import { isWithin } from '../tree-paths.ts';
import type { Declarations } from './declarations.ts';
import type { Reach } from './impact.ts';
import type { Owners } from './ownership.ts';
import { sideOf } from './side.ts';

/** Both sides of a change, ready to be asked. */
export interface World {
  readonly head: Discovery;
  readonly base: Discovery;
  readonly headUnits: ReadonlyMap<string, Unit>;
  readonly baseUnits: ReadonlyMap<string, Unit>;
  readonly headOwners: Owners;
  readonly baseOwners: Owners;
  /** Units by the file that describes them: one file may describe many. */
  readonly headManifests: ReadonlyMap<string, readonly Unit[]>;
  readonly baseManifests: ReadonlyMap<string, readonly Unit[]>;
  /** Edges of the earlier side by where they lead. */
  readonly baseDependents: ReadonlyMap<string, readonly UnitEdge[]>;
  /** What units of the later side declare to read of a path. */
  readonly declarations: Declarations;
  /** Every unit of the later side, whole. One list for all files that reach everything: there can be very many of both. */
  readonly everyUnit: readonly Reach[];
  /** As `everyUnit`, below a folder; again one list for all who ask. */
  readonly everyUnitWithin: (folder: string) => readonly Reach[];
}

export function worldOf(head: Discovery, base: Discovery): World {
  const [later, earlier] = [sideOf(head), sideOf(base)];
  return {
    head,
    base,
    headUnits: later.byId,
    baseUnits: earlier.byId,
    headOwners: later.owners,
    baseOwners: earlier.owners,
    headManifests: later.byManifest,
    baseManifests: earlier.byManifest,
    baseDependents: earlier.dependents,
    declarations: later.declarations,
    everyUnit: later.everyUnit,
    everyUnitWithin: later.everyUnitWithin,
  };
}

export function unitsWithin(world: World, folder: string): readonly Unit[] {
  return world.head.units.filter(({ root }) => isWithin(root, folder));
}

/** A unit of the earlier side as it concerns the later one: itself, or when it is gone, whoever depended on it. */
export function survivorsOf(world: World, unit: Unit): string[] {
  if (world.headUnits.has(unit.id)) return [unit.id];
  const dependents = (world.baseDependents.get(unit.id) ?? []).map(({ from }) => from);
  return [...new Set(dependents)].filter((id) => world.headUnits.has(id));
}

/** Units that own a place now or did before. */
export function concernedBy(world: World, path: string): { readonly owners: readonly Unit[]; readonly ids: string[] } {
  const now = world.headOwners(path);
  const before = world.baseOwners(path);
  const ids = new Set([...now.map(({ id }) => id), ...before.flatMap((unit) => survivorsOf(world, unit))]);
  return { owners: now.length > 0 ? now : before, ids: [...ids] };
}

/** How a unit is called in sentences. */
export function nameOf(unit: Unit): string {
  if (unit.id !== '.') return unit.id;
  return unit.name === '.' ? 'the root' : unit.name;
}

/** `a`, `a and b`, `a, b and 3 more`. */
export function listed(names: readonly string[], shown = 3): string {
  if (names.length === 0) return 'none';
  const head = names.slice(0, names.length > shown ? shown - 1 : names.length);
  const rest = names.length - head.length;
  const last = rest > 0 ? `${rest} more` : (head.pop() ?? '');
  return head.length === 0 ? last : `${head.join(', ')} and ${last}`;
}
