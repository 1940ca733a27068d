import type { Discovery, Unit, UnitEdge } from '../model.ts';
import { isWithin } from '../tree-paths.ts';
import { declarationsIn, type Declarations } from './declarations.ts';
import type { Reach } from './impact.ts';
import { ownersIn, type Owners } from './ownership.ts';

/** One side of a change, ready to be asked. */
export interface Side {
  readonly byId: ReadonlyMap<string, Unit>;
  readonly owners: Owners;
  /** Units by the file that describes them: one file may describe many. */
  readonly byManifest: ReadonlyMap<string, readonly Unit[]>;
  /** Edges by where they lead. */
  readonly dependents: ReadonlyMap<string, readonly UnitEdge[]>;
  /** What units declare to read of a path. */
  readonly declarations: Declarations;
  /** Every unit, whole. One list for all files that reach everything: there can be very many of both. */
  readonly everyUnit: readonly Reach[];
  /** As `everyUnit`, below a folder; again one list for all who ask. */
  readonly everyUnitWithin: (folder: string) => readonly Reach[];
}

const SIDES = new WeakMap<Discovery, Side>();

/** Made once for each discovery: the later side of one change is, as a rule, the earlier one of the next. */
export function sideOf(discovery: Discovery): Side {
  const known = SIDES.get(discovery) ?? sideFrom(discovery);
  SIDES.set(discovery, known);
  return known;
}

function sideFrom({ units, edges }: Discovery): Side {
  const within = new Map<string, readonly Reach[]>();
  return {
    byId: new Map(units.map((unit) => [unit.id, unit])),
    owners: ownersIn(units),
    byManifest: Map.groupBy(units, ({ manifest }) => manifest),
    dependents: Map.groupBy(edges, ({ to }) => to),
    declarations: declarationsIn(units),
    everyUnit: wholeOf(units),
    everyUnitWithin: (folder) => {
      const known = within.get(folder) ?? wholeOf(units.filter(({ root }) => isWithin(root, folder)));
      within.set(folder, known);
      return known;
    },
  };
}

function wholeOf(units: readonly Unit[]): Reach[] {
  return units.map(({ id }) => ({ unit: id, kinds: 'all' }));
}
