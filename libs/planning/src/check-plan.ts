import type { Plan, PlanNote } from '@delta-ci/contracts';
import { accountNotes } from './check/account-notes.ts';
import { boundNotes, type CheckedInputs } from './check/bound-notes.ts';
import { orderNotes } from './check/order-notes.ts';
import { shadowCheckNotes } from './check/shadow-notes.ts';
import { shareNotes } from './check/share-notes.ts';

/**
 * Judges a plan against what it was made from, independently of how it was made. `CHECK_NOTES` lists all that it can say; an
 * error means that the plan must not run.
 */
export function checkPlan(plan: Plan, inputs: CheckedInputs): PlanNote[] {
  return [
    ...orderNotes(plan),
    ...accountNotes(plan, inputs.comparison),
    ...shareNotes(plan),
    ...shadowCheckNotes(plan),
    ...boundNotes(plan, inputs),
  ];
}
