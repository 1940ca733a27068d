import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import type { ArtifactStore } from '@delta-ci/artifact-store';
import { canonicalJson, firstDifference, Plan, type Digest, type Json, type JsonDifference } from '@delta-ci/contracts';
import type { LogConnection, RecordedPlanning } from '@delta-ci/event-log';
import {
  inputsFromRecord,
  planChange,
  PLANNING_RULES_VERSION,
  rulesVersionOf,
  type PlanningResult,
  type RecordedInputs,
} from '@delta-ci/planning';
import { errorMessage } from '../error-code.ts';
import type { EventLog } from './with-log.ts';

/** What came of planning again. `not-judged`: what it would have to be made from is not there. */
export type PlannedAgain =
  | { readonly verdict: 'same' }
  | { readonly verdict: 'differs'; readonly difference: JsonDifference }
  | { readonly verdict: 'not-recorded' | 'not-judged'; readonly reason: string };

/** As much as the planner keeps. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;
/** The listing of a million files, and of every manifest. */
const INPUTS_BYTES_MAX = 1024 * 1024 * 1024;

export interface KeptThings {
  readonly log: LogConnection;
  readonly eventLog: EventLog;
  /** Null where nobody said which. */
  readonly store: ArtifactStore | null;
}

/**
 * Plans a run again from what its plan was made of. Content that is found by its digest is what was put there; when the
 * plan that comes out has another digest, the first field that differs is named.
 */
export async function planAgain(things: KeptThings, recorded: RecordedPlanning): Promise<PlannedAgain> {
  const { inputsDigest } = recorded;
  if (inputsDigest === null) return { verdict: 'not-recorded', reason: 'what was planned from was not recorded' };
  if (!recorded.ok && recorded.code === 'plan_too_large') {
    return { verdict: 'not-recorded', reason: 'the plan was larger than any that is kept' };
  }
  if (things.store === null) {
    return {
      verdict: 'not-judged',
      reason: 'no artifact store to read what was planned from: name it with --artifacts',
    };
  }
  try {
    const inputs = await keptInputs(things.store, inputsDigest);
    if (inputs === null)
      return { verdict: 'not-judged', reason: `${inputsDigest} is of a shape this version does not know` };
    const earlier = inputs.rerun === null ? null : await keptPlan(things.store, inputs.rerun.planDigest);
    const plannedBy = rulesVersionOf(inputs);
    const again = planChange(inputsFromRecord(inputs, earlier));
    return byItsRules(await compare(things, recorded, namedBy(again, plannedBy)), plannedBy);
  } catch (error) {
    return { verdict: 'not-judged', reason: `what was planned from cannot be read: ${errorMessage(error)}` };
  }
}

/** The plan as it would be if its rules had the number they had then: whether they lead to something else is for the rest of it to say. */
function namedBy(again: PlanningResult, rules: string): PlanningResult {
  return again.ok ? { ok: true, plan: { ...again.plan, inputs: { ...again.plan.inputs, rules } } } : again;
}

/**
 * Other rules may plan otherwise, and read other files than were kept: a difference under them says nothing about whether
 * the plan was what its own rules lead to. That they lead to the same does.
 */
export function byItsRules(verdict: PlannedAgain, plannedBy: string): PlannedAgain {
  if (verdict.verdict !== 'differs' || plannedBy === PLANNING_RULES_VERSION) return verdict;
  const { field } = verdict.difference;
  const reason = `it was planned by version ${plannedBy} of the rules; by version ${PLANNING_RULES_VERSION}, which this release has, ${field === '' ? 'it' : field} differs`;
  return { verdict: 'not-judged', reason };
}

async function keptInputs(store: ArtifactStore, digest: Digest): Promise<RecordedInputs | null> {
  const compressed = await store.content.read(digest, KEPT_BYTES_MAX);
  const text = await promisify(zstdDecompress)(compressed, { maxOutputLength: INPUTS_BYTES_MAX });
  const recorded = JSON.parse(text.toString('utf8')) as RecordedInputs | { readonly version: unknown };
  return recorded.version === 1 ? (recorded as RecordedInputs) : null;
}

async function keptPlan(store: ArtifactStore, digest: Digest): Promise<Plan> {
  const body = await store.content.read(digest, KEPT_BYTES_MAX);
  return Plan.parse(JSON.parse(Buffer.from(body).toString('utf8')));
}

async function compare(
  { log, eventLog }: KeptThings,
  recorded: RecordedPlanning,
  again: PlanningResult,
): Promise<PlannedAgain> {
  if (!recorded.ok || !again.ok) return verdictOf(firstDifference(saidOf(recorded), saidOf(again)));
  const digest = `sha256:${createHash('sha256').update(canonicalJson(again.plan)).digest('hex')}`;
  if (digest === recorded.planDigest) return { verdict: 'same' };
  const stored = await eventLog.findPlan(log, recorded.planDigest);
  if (stored === null) return { verdict: 'not-judged', reason: `the plan ${recorded.planDigest} is not kept` };
  const difference = firstDifference(stored as Json, again.plan as Json);
  return verdictOf(difference ?? { field: 'digest', recorded: recorded.planDigest, decided: digest });
}

/** A failure by its name and words; of a plan, that there is one. */
function saidOf(planning: RecordedPlanning | PlanningResult): Json {
  if (planning.ok) return { outcome: 'planned' };
  const { code, message } = planning;
  // As the planner's report carries it: bounded, and without halves of characters.
  return { outcome: 'failed', code, message: message.slice(0, 10_000).toWellFormed() };
}

const verdictOf = (difference: JsonDifference | null): PlannedAgain =>
  difference === null ? { verdict: 'same' } : { verdict: 'differs', difference };
