import { stepKey, type JobStep } from '@delta-ci/contracts';
import type { Unit } from '../model.ts';
import { MEMBERS_MAX, type Assignment, type Cut, type JobOutline, type Member } from './assignments.ts';
import { balanced } from './balance.ts';
import { preparationOf, stepOf } from './job-steps.ts';
import { shardStep, shardsFor } from './shards.ts';
import { smallJobs } from './small-jobs.ts';
import type { StepDurations } from './step-durations.ts';

type UnitsById = ReadonlyMap<string, Unit>;

/** Every assignment in as many jobs as are worth it: the reached members of each are in exactly one, or in all its shards. */
export function outlinesOf(
  assignments: readonly Assignment[],
  reachedOf: (assignment: Assignment) => readonly Member[],
  byId: UnitsById,
  durations: StepDurations,
): JobOutline[] {
  const reached = assignments.map((assignment) => ({ assignment, members: reachedOf(assignment) }));
  const small = smallJobs(
    reached.flatMap(({ assignment, members }) => (isAlone(assignment) ? members : [])),
    byId,
    durations,
  );
  return reached.flatMap(({ assignment, members }): JobOutline[] => {
    const [first] = members;
    if (first === undefined) return [{ assignment, members, cut: WHOLE }];
    const group = small.get(first);
    // A group stands where its first member would.
    if (group !== undefined) return group.members[0] === first ? [group] : [];
    return isAlone(assignment) ? shardsOf(assignment, first, durations) : partsOf(assignment, members, durations);
  });
}

const WHOLE: Cut = { kind: 'whole' };

/** Commands that do not join are in assignments of their own. */
function isAlone({ members }: Assignment): boolean {
  return members.every(({ command }) => command.joins === null);
}

function shardsOf(assignment: Assignment, member: Member, durations: StepDurations): JobOutline[] {
  const members = [member];
  const { command } = member;
  const took = durations.of(command.step);
  const count = took === null || command.shards === undefined ? 1 : shardsFor(took.ms, command.shards.most);
  if (took === null || count < 2) return [{ assignment, members, cut: WHOLE }];
  return numbersTo(count).map((number) => ({ assignment, members, cut: { kind: 'shard', number, count, took } }));
}

/** In as many parts as it takes to keep each below the limits of number and of time. */
function partsOf(assignment: Assignment, members: readonly Member[], durations: StepDurations): JobOutline[] {
  const byNumber = Math.ceil(members.length / MEMBERS_MAX);
  const whole = stepOf(assignment.members, assignment);
  const took = assignment.kind === 'test' ? durations.of(whole) : null;
  // As long as nothing tells members apart, each counts for its share of the whole.
  const mean = (took?.ms ?? 0) / assignment.members.length;
  const byTime = took === null ? 1 : shardsFor(mean * members.length, members.length);
  const count = Math.max(byNumber, byTime);
  if (count === 1) return [{ assignment, members, cut: WHOLE }];
  if (byTime === 1) return outlined(assignment, inOrder(members, count), { took: null, of: null });
  const weighted = members.map((member) => ({
    item: member,
    weight: durations.of(stepOf([member], assignment))?.ms ?? mean,
  }));
  const all = members.length === assignment.members.length;
  return outlined(assignment, balanced(weighted, count, MEMBERS_MAX), { took, of: all ? stepKey(whole) : null });
}

function outlined(
  assignment: Assignment,
  parts: readonly (readonly Member[])[],
  what: Pick<Extract<Cut, { kind: 'part' }>, 'took' | 'of'>,
): JobOutline[] {
  const count = parts.length;
  return parts.map((members, at) => ({
    assignment,
    members,
    cut: { kind: 'part', number: at + 1, count, ...what },
  }));
}

function inOrder(members: readonly Member[], count: number): readonly Member[][] {
  return Array.from({ length: count }, (_, at) => members.slice(at * MEMBERS_MAX, (at + 1) * MEMBERS_MAX));
}

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

/** From a fresh checkout: bring in packages, build what is needed, then do what the job is for. */
export function stepsOf({ assignment, members, cut }: JobOutline, byId: UnitsById): JobStep[] {
  return [...preparationOf(members, byId), ...ownSteps(members, assignment, cut)];
}

function ownSteps(members: readonly Member[], assignment: Assignment, cut: Cut): JobStep[] {
  if (cut.kind === 'together') return members.map(({ command }) => ({ ...command.step, independent: true }));
  const step = stepOf(members, assignment);
  const [first] = members;
  if (cut.kind === 'shard' && first?.command.shards !== undefined) {
    return [shardStep(step, first.command.shards, cut)];
  }
  if (cut.kind !== 'part' || cut.of === null) return [step];
  const { of, number, count } = cut;
  return [{ ...step, share: { of, number, count } }];
}
