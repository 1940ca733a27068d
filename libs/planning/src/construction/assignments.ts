import type { JobKind } from '@delta-ci/contracts';
import type { Unit, UnitCommand } from '../model.ts';

/** A unit and a command of it that one job would run. */
export interface Member {
  readonly unit: Unit;
  readonly command: UnitCommand;
}

/** What one job is for: the command of one unit, or commands of several that join into one. */
export interface Assignment {
  readonly kind: JobKind;
  /** The unit it is told under. */
  readonly unit: Unit;
  /** At least one. */
  readonly members: readonly Member[];
}

/** Every command of every unit in exactly one assignment, in order of the first member of each. */
export function assignmentsOf(units: readonly Unit[], byId: ReadonlyMap<string, Unit>): Assignment[] {
  const joined = new Map<string, Member[]>();
  const assignments: Assignment[] = [];
  for (const unit of units) {
    for (const command of unit.commands) {
      const { kind, joins } = command;
      const member = { unit, command };
      const key = joins === null ? null : `${kind}\n${joins.group}\n${joins.prefix}`;
      const known = key === null ? undefined : joined.get(key);
      if (known !== undefined) known.push(member);
      else {
        const members = [member];
        if (key !== null) joined.set(key, members);
        assignments.push({ kind, unit: byId.get(joins?.group ?? unit.id) ?? unit, members });
      }
    }
  }
  return assignments;
}

/**
 * Members one job takes at most: their names and arguments have to fit an explanation and a command line, and what is
 * more than this can as well run side by side.
 */
export const MEMBERS_MAX = 400;

/** An assignment in as many as it takes to keep each below the limit, with the number of each from the second on. */
export function partsOf(members: readonly Member[]): { readonly members: readonly Member[]; readonly part: number }[] {
  const count = Math.max(1, Math.ceil(members.length / MEMBERS_MAX));
  return Array.from({ length: count }, (_, at) => ({
    members: members.slice(at * MEMBERS_MAX, (at + 1) * MEMBERS_MAX),
    part: at + 1,
  }));
}
