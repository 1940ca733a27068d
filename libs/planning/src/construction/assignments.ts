import type { JobKind, LearnedDuration, StepKey } from '@delta-ci/contracts';
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
  /**
   * Tells assignments of one kind under one unit apart, from 1: some commands of a group may be those of a recipe, and join
   * otherwise than those that are found now.
   */
  readonly way: number;
}

/** One job to be: what it is for, whom it runs for (for nobody when it is skipped), and how it is cut. */
export interface JobOutline {
  readonly assignment: Assignment;
  readonly members: readonly Member[];
  readonly cut: Cut;
}

/** How a job comes out of what has to be run: as it is, as one of several, or together with other small ones. */
export type Cut =
  | { readonly kind: 'whole' }
  | {
      readonly kind: 'part';
      readonly number: number;
      readonly count: number;
      /** What all parts take together; null when they are parts for the number of their members alone. */
      readonly took: LearnedDuration | null;
      /** The step that all parts together do the work of; null when that is none that can run by itself. */
      readonly of: StepKey | null;
    }
  | { readonly kind: 'shard'; readonly number: number; readonly count: number; readonly took: LearnedDuration }
  | {
      readonly kind: 'together';
      /** What tells it from other groups of the same kind and place; empty when there is no other. */
      readonly group: string;
      /** What each of its members would have needed beside its own command. */
      readonly overhead: LearnedDuration;
    };

/** Every command of every unit in exactly one assignment, in order of the first member of each. */
export function assignmentsOf(units: readonly Unit[], byId: ReadonlyMap<string, Unit>): Assignment[] {
  const joined = new Map<string, Member[]>();
  const assignments: Assignment[] = [];
  const ways = new Map<string, number>();
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
        const toldUnder = byId.get(joins?.group ?? unit.id) ?? unit;
        const name = `${kind}\n${toldUnder.id}`;
        const way = (ways.get(name) ?? 0) + 1;
        ways.set(name, way);
        assignments.push({ kind, unit: toldUnder, members, way });
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
