import {
  decidingStep,
  type CacheResult,
  type EgressDecision,
  type FailureExplanation,
  type InfrastructureError,
  type JobOutcome,
  type Plan,
  type PlannedJob,
  type StepResult,
} from '@delta-ci/contracts';
import type { JobResult } from '@delta-ci/sandbox';
import { explainLocally, type Executed } from './job/explain-locally.ts';
import type { LocalArtifact } from './job/local-artifacts.ts';
import { RestForOne } from './rest-for-one.ts';

export interface LocalOutcome {
  readonly key: string;
  readonly outcome: JobOutcome;
  /** Whose fault, when the job could not be judged. */
  readonly notJudged: { readonly code: string; readonly message: string } | null;
  readonly durationMs: number | null;
  readonly reason: string;
  readonly result: JobResult | null;
  /** What became of its caches. */
  readonly caches: readonly CacheResult[];
  /** What it left, kept or not, and the patterns of the plan that nothing matched. */
  readonly artifacts: readonly LocalArtifact[];
  readonly unmatched: readonly string[];
  /** What was decided about its connections; null where nothing decided. */
  readonly egress: readonly EgressDecision[] | null;
  readonly explanation: FailureExplanation | null;
}

export interface RunJobsOptions {
  readonly atOnceMax: number;
  /** Stop at the first failure of a required job. */
  readonly failFast: boolean;
  readonly interrupted: AbortSignal;
  /** By key: jobs that are not run, because they cannot have what they need. They stop no others but those that need them. */
  readonly refused: ReadonlyMap<string, InfrastructureError>;
  readonly execute: (job: PlannedJob, signal: AbortSignal, alone: Alone) => Promise<Executed>;
  readonly onFinished: (outcome: LocalOutcome) => void;
}

/** What a job that failed does before its end while everything else is at rest: see `RestForOne`. */
export type Alone = (use: () => Promise<void>) => Promise<void>;

/** Carries out jobs in the order their needs allow, some at once. Jobs whose needs failed do not run. */
export async function runJobs(jobs: readonly PlannedJob[], options: RunJobsOptions): Promise<LocalOutcome[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, options.interrupted]);
  const outcomes = new Map<string, LocalOutcome>();
  const running = new Map<string, Promise<void>>();
  const settle = (outcome: LocalOutcome): void => {
    outcomes.set(outcome.key, outcome);
    options.onFinished(outcome);
  };
  const rest = new RestForOne();
  const start = async (job: PlannedJob): Promise<void> => {
    const alone: Alone = async (use) => {
      if (options.failFast && job.policy.required) stop.abort();
      return rest.alone(use);
    };
    const executed = await options.execute(job, signal, alone);
    running.delete(job.key);
    const outcome = judged(job, executed);
    settle(outcome);
    if (options.failFast && job.policy.required && isFailure(outcome.outcome)) stop.abort();
  };
  for (;;) {
    const waiting = jobs.filter(({ key }) => !outcomes.has(key) && !running.has(key));
    const ready = byPriority(waiting).filter((job) => job.needs.every((need) => outcomes.has(need)));
    const blocked = ready.find(
      (job) => signal.aborted || options.refused.has(job.key) || failedNeed(job, jobs, outcomes) !== null,
    );
    if (blocked !== undefined) settle(notRun(blocked, failedNeed(blocked, jobs, outcomes), options));
    else if (rest.waiting > 0 && rest.waiting === running.size) await rest.giveTurn();
    else if (rest.waiting === 0 && ready[0] !== undefined && running.size < options.atOnceMax)
      running.set(ready[0].key, start(ready[0]));
    else if (running.size > 0) await Promise.race([...running.values(), rest.asked()]);
    else return jobs.flatMap(({ key }) => outcomes.get(key) ?? []);
  }
}

/** A job and everything it needs, out of a plan. Null when the plan runs no such job. */
export function selectJob(plan: Plan, key: string): PlannedJob[] | null {
  const byKey = new Map(plan.jobs.map((job) => [job.key, job]));
  if (!byKey.has(key)) return null;
  const wanted = new Set<string>();
  const add = (each: string): void => {
    if (wanted.has(each)) return;
    wanted.add(each);
    for (const need of byKey.get(each)?.needs ?? []) add(need);
  };
  add(key);
  return plan.jobs.filter((job) => wanted.has(job.key));
}

function byPriority(jobs: readonly PlannedJob[]): PlannedJob[] {
  return [...jobs].sort((one, other) => other.policy.priority - one.policy.priority);
}

function isFailure(outcome: JobOutcome): boolean {
  return outcome === 'failed' || outcome === 'timed_out';
}

/** The job it needs that did not succeed and may not fail. */
function failedNeed(
  job: PlannedJob,
  jobs: readonly PlannedJob[],
  outcomes: ReadonlyMap<string, LocalOutcome>,
): string | null {
  const failed = job.needs.find((need) => {
    const outcome = outcomes.get(need)?.outcome;
    if (outcome === undefined || outcome === 'succeeded') return false;
    return !(isFailure(outcome) && jobs.find(({ key }) => key === need)?.policy.allowFailure === true);
  });
  return failed ?? null;
}

const LEFT_NOTHING = { caches: [], artifacts: [], unmatched: [] };

function notRun({ key }: PlannedJob, need: string | null, { interrupted, refused }: RunJobsOptions): LocalOutcome {
  const same = {
    key,
    notJudged: null,
    durationMs: null,
    result: null,
    ...LEFT_NOTHING,
    egress: null,
    explanation: null,
  };
  if (need !== null) return { ...same, outcome: 'skipped', reason: `it needs ${need}, which did not succeed` };
  const refusal = interrupted.aborted ? undefined : refused.get(key);
  if (refusal !== undefined) return { ...same, outcome: 'failed', notJudged: refusal, reason: refusal.message };
  const reason = interrupted.aborted ? 'interrupted before it began' : 'another job failed; --keep-going runs the rest';
  return { ...same, outcome: 'canceled', reason };
}

function judged(job: PlannedJob, executed: Executed): LocalOutcome {
  const { result, caches, artifacts, egress, startedMs, finishedMs } = executed;
  const { infrastructureError, outcome } = result;
  const reason = infrastructureError?.message ?? reasonOf(result);
  return {
    key: job.key,
    outcome,
    notJudged: infrastructureError,
    durationMs: finishedMs - startedMs,
    reason,
    result,
    caches,
    artifacts: artifacts.found,
    unmatched: artifacts.unmatched,
    egress,
    explanation: explainLocally(job, executed, reason),
  };
}

function whatFor(step: StepResult | undefined): string {
  if (step?.endedBy === 'out_of_memory') return ': out of memory';
  return step?.endedBy === 'disk_full' ? ': its disk is full' : '';
}

/** Why a job did not succeed, in a few words. */
export function reasonOf({ outcome, steps, exitCode, signal }: JobResult): string {
  const last = decidingStep(steps);
  if (outcome === 'succeeded') return '';
  if (outcome === 'canceled') return 'stopped while it ran';
  if (outcome === 'timed_out') {
    const silent = last?.endedBy === 'idle_timeout';
    return `step "${last?.name}" ${silent ? 'printed nothing for too long' : 'ran out of time'}`;
  }
  const ending = signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
  return `step "${last?.name}" ended with ${ending}${whatFor(last)}`;
}
