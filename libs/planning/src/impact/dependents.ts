import type { JobKind } from '@delta-ci/contracts';
import type { Discovery, Unit, UnitEdge } from '../model.ts';
import { byText } from '../tree-paths.ts';
import { withEdge } from './edge-path.ts';
import type { Cause, UnitImpact } from './impact.ts';
import { sideOf } from './side.ts';

/** What files, and differences between descriptions, reach by themselves. */
export interface DirectCauses {
  readonly whole: ReadonlyMap<string, Cause>;
  readonly kinds: ReadonlyMap<string, ReadonlyMap<JobKind, Cause>>;
}

/**
 * How a unit stands: `made` of something that changed, so that whoever depends on it notices; `worked` on with something
 * that changed, which all of its own jobs notice and others only if they build it; `tested` with something that changed,
 * which no build of it notices.
 */
type Standing = 'made' | 'worked' | 'tested';

interface Reached {
  readonly id: string;
  readonly standing: Standing;
  readonly cause: Cause;
}

/** Every unit that what was reached directly reaches in turn, each along a shortest path. */
export function withDependents(head: Discovery, direct: DirectCauses): Map<string, UnitImpact> {
  const reached = spread(head, direct);
  return new Map(head.units.map((unit) => [unit.id, impactOn(unit, reached, direct.kinds.get(unit.id))]));
}

const keyOf = (standing: Standing, id: string): string => `${standing} ${id}`;

function spread(head: Discovery, direct: DirectCauses): ReadonlyMap<string, Reached> {
  const { byId: units, dependents } = sideOf(head);
  const reached = new Map<string, Reached>();
  const add = (standing: Standing, id: string, cause: Cause): void => {
    const key = keyOf(standing, id);
    if (!reached.has(key)) reached.set(key, { id, standing, cause });
  };
  for (const [id, cause] of [...direct.whole].sort(([one], [other]) => byText(one, other))) add('made', id, cause);
  // Breadth first: a map is iterated in order of insertion, and what is added on the way is visited too.
  for (const { id, standing, cause } of reached.values()) {
    for (const edge of dependents.get(id) ?? []) {
      const next = standingBehind(standing, edge, units.get(edge.from));
      if (next !== null) add(next, edge.from, { ...cause, path: withEdge(cause.path, edge) });
    }
  }
  return reached;
}

/**
 * How whoever depends on a unit stands when that unit stands like this; null when it cannot notice. What a unit is only
 * worked on or tested with is no part of it, but what it is worked on with may have built it, for whoever builds it first.
 */
function standingBehind(standing: Standing, { to, kind }: UnitEdge, from: Unit | undefined): Standing | null {
  if (standing === 'tested') return null;
  if (standing === 'worked') return from?.buildsFirst.includes(to) === true ? 'made' : null;
  if (kind === 'test') return 'tested';
  return kind === 'development' ? 'worked' : 'made';
}

function impactOn(
  unit: Unit,
  reached: ReadonlyMap<string, Reached>,
  direct: ReadonlyMap<JobKind, Cause> | undefined,
): UnitImpact {
  const causeOf = (standing: Standing): Cause | null => reached.get(keyOf(standing, unit.id))?.cause ?? null;
  const whole = causeOf('made') ?? causeOf('worked');
  const tested = causeOf('tested');
  const kinds = new Map(direct);
  if (tested === null) return { whole, kinds };
  const noticing = unit.commands.map(({ kind }) => kind).filter((kind) => kind !== 'build');
  // A unit without any other job has to compile its tests when it is built, if ever.
  if (noticing.length === 0) return { whole: whole ?? tested, kinds };
  for (const kind of noticing) if (!kinds.has(kind)) kinds.set(kind, tested);
  return { whole, kinds };
}
