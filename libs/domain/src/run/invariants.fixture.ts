import {
  EVENT_DATA,
  isShadow,
  type DomainEvent,
  type DomainEventOf,
  type EventType,
  type JobKey,
  type JobPolicy,
  type PlannedJobState,
} from '@delta-ci/contracts';
import type { AttemptTrigger } from '../machines/attempt-machine.ts';
import { workOf, type RunAggregate, type Work } from './aggregate.ts';
import { attemptDeadlineMs } from './attempt-deadline.ts';
import { jobAt } from './job-table.ts';
import { gatesTheRun, satisfiesDependents } from './plan-shape.ts';

/**
 * The invariants of one run, checked from its events alone: a second opinion that shares nothing with the fold.
 * Each breach is a sentence; none is what every history must have.
 */
export class Ledger {
  readonly breaches: string[] = [];
  #maxConcurrency = 0;
  #runFinished = 0;
  #cancelRequested = false;
  readonly #planned = new Map<JobKey, PlannedJobState>();
  readonly #jobsFinished = new Map<JobKey, string>();
  readonly #attempts = new Map<string, AttemptEntry>();
  readonly #fences = new Map<JobKey, number>();
  readonly #retries = new Map<JobKey, { lost: number; other: number }>();

  /** Events that add to a run without moving it: allowed at any time after creation. */
  static readonly ANNOTATIONS: readonly EventType[] = [
    'run.reported',
    'failure.explained',
    'publication.recorded',
    'lease.stale-report-refused',
  ];

  take(event: DomainEvent): void {
    this.#check(EVENT_DATA[event.type].safeParse(event.data).success, `${event.type} does not fit its schema`);
    if (Ledger.ANNOTATIONS.includes(event.type)) return;
    this.#check(this.#runFinished === 0, `${event.type} after the run finished`);
    if (event.type.startsWith('run.')) this.#takeRun(event);
    else if (event.type === 'job.readied' || event.type === 'job.finished') this.#takeJob(event, event.data.jobKey);
    else if (isOfAttempt(event)) this.#takeAttempt(event, event.data);
    else this.#check(false, `${event.type} in the stream of a run`);
  }

  get finished(): boolean {
    return this.#runFinished === 1;
  }

  #takeRun(event: DomainEvent): void {
    if (event.type === 'run.planned') {
      this.#maxConcurrency = event.data.policy.maxConcurrency;
      for (const job of event.data.jobs) this.#planned.set(job.key, job);
    }
    if (event.type === 'run.cancel-requested') {
      this.#check(!this.#cancelRequested, 'the run was asked to cancel twice');
      this.#check(!this.#isSettled(), 'a run was canceled in which nothing but shadows was left');
      this.#cancelRequested = true;
    }
    if (event.type === 'run.finished') this.#takeEnd(event.data);
  }

  #takeEnd({ outcome }: DomainEventOf<'run.finished'>['data']): void {
    this.#runFinished += 1;
    this.#check(this.#jobsFinished.size === this.#planned.size, 'the run finished before its jobs');
    this.#check(this.#live().length === 0, 'the run finished before its attempts');
    this.#check(!this.#cancelRequested || outcome === 'canceled', `a canceled run ended ${outcome}`);
    const failed = [...this.#planned.values()].some(
      ({ key, policy }) => policy.required && !policy.allowFailure && this.#jobsFinished.get(key) !== 'succeeded',
    );
    this.#check(outcome !== 'succeeded' || !failed, 'a run succeeded although a required job did not');
    const cut = this.#selected().some((key) => ['canceled', 'timed_out'].includes(this.#jobsFinished.get(key) ?? ''));
    this.#check(outcome !== 'timed_out' || this.#planned.size === 0 || cut, 'shadows alone let a run time out');
    this.#check(outcome !== 'failed' || failed || this.#planned.size === 0, 'a run failed without a reason');
  }

  #selected(): JobKey[] {
    return [...this.#planned.values()].flatMap(({ key, policy }) => (isShadow(policy) ? [] : [key]));
  }

  #isSettled(): boolean {
    return this.#planned.size > 0 && this.#selected().every((key) => this.#jobsFinished.has(key));
  }

  #takeJob(event: DomainEvent, key: JobKey): void {
    this.#check(!this.#jobsFinished.has(key), `${event.type} after job ${key} finished`);
    if (event.type === 'job.readied') {
      const needs = this.#planned.get(key)?.needs ?? [];
      this.#check(
        needs.every((need) => this.#satisfied(need)),
        `job ${key} was readied before its needs`,
      );
    }
    if (event.type === 'job.finished') {
      this.#check(
        this.#live().every((entry) => entry.jobKey !== key),
        `job ${key} finished before its attempt`,
      );
      this.#jobsFinished.set(key, event.data.outcome);
    }
  }

  #satisfied(need: JobKey): boolean {
    const outcome = this.#jobsFinished.get(need);
    return outcome === 'succeeded' || (outcome !== undefined && this.#planned.get(need)?.policy.allowFailure === true);
  }

  #takeAttempt(event: AttemptEvent, { jobKey, attempt }: AttemptEvent['data']): void {
    const name = `${jobKey}.${attempt}`;
    this.#check(!this.#jobsFinished.has(jobKey), `${event.type} of ${name} after its job finished`);
    if (event.type === 'attempt.queued') return this.#takeQueued(name, event.data);
    const entry = this.#attempts.get(name);
    if (entry === undefined) return this.#check(false, `${event.type} of ${name}, which was never queued`);
    this.#check(!entry.finished, `${event.type} of ${name} after it finished`);
    if (event.type === 'lease.granted') this.#takeGrant(name, entry, event.data);
    if (event.type === 'lease.expired' || event.type === 'lease.revoked') entry.leaseLive = false;
    if (event.type === 'lease.secrets-handed-out') {
      this.#check(entry.leaseLive && !entry.handedOut, `secrets of ${name} twice, or without a live lease`);
      entry.handedOut = true;
    }
    if (event.type === 'cache.saved') this.#check(entry.leaseLive, `a cache of ${name} without a live lease`);
    if (event.type === 'debug.opened') {
      this.#check(entry.leaseLive && !entry.handedOut, `a shell for ${name} beside secrets, or without a live lease`);
    }
    if (event.type === 'artifact.recorded') this.#check(entry.leaseLive, `an artifact of ${name} without a live lease`);
    if (event.type === 'attempt.finished') {
      this.#check(event.data.report === null || entry.leaseLive, `a report on ${name} counted without a live lease`);
      this.#check(event.data.report !== null || !entry.leaseLive, `${name} finished although its lease was live`);
      entry.finished = true;
      entry.leaseLive = false;
    }
  }

  #takeQueued(name: string, { jobKey, attempt, retryOf }: DomainEventOf<'attempt.queued'>['data']): void {
    this.#check(!this.#cancelRequested, `${name} was queued after the cancel`);
    this.#check(!this.#attempts.has(name), `${name} was queued twice`);
    this.#check(
      this.#live().every((entry) => entry.jobKey !== jobKey),
      `${name} was queued beside a live attempt`,
    );
    const used = this.#retries.get(jobKey) ?? { lost: 0, other: 0 };
    if (retryOf !== null) used[retryOf.because === 'lost' ? 'lost' : 'other'] += 1;
    this.#retries.set(jobKey, used);
    this.#check(attempt === 1 + used.lost + used.other, `${name} is not the next attempt`);
    const policy: Pick<JobPolicy, 'retries' | 'lostRetries'> = this.#planned.get(jobKey)?.policy ?? NO_RETRIES;
    this.#check(used.lost <= policy.lostRetries && used.other <= policy.retries, `${name} is over its budget`);
    this.#attempts.set(name, { jobKey, finished: false, leaseLive: false, handedOut: false, runnerId: null });
    this.#check(this.#live().length <= this.#maxConcurrency, `${name} is over the run's concurrency`);
  }

  #takeGrant(name: string, entry: AttemptEntry, data: DomainEventOf<'lease.granted'>['data']): void {
    this.#check(!this.#cancelRequested, `${name} was granted after the cancel`);
    this.#check(data.fence > (this.#fences.get(data.jobKey) ?? 0), `the fence of ${name} did not grow`);
    this.#fences.set(data.jobKey, data.fence);
    const leased = [...this.#attempts.values()].filter((other) => other.leaseLive);
    this.#check(
      leased.every((other) => other.jobKey !== data.jobKey),
      `${name} has a second live lease of its job`,
    );
    this.#check(
      leased.every((other) => other.runnerId !== data.runnerId),
      `${name} went to a runner that holds one`,
    );
    entry.leaseLive = true;
    entry.runnerId = data.runnerId;
    entry.handedOut = false;
  }

  #live(): AttemptEntry[] {
    return [...this.#attempts.values()].filter((entry) => !entry.finished);
  }

  #check(holds: boolean, breach: string): void {
    if (!holds) this.breaches.push(breach);
  }
}

interface AttemptEntry {
  readonly jobKey: JobKey;
  finished: boolean;
  leaseLive: boolean;
  handedOut: boolean;
  runnerId: string | null;
}

type AttemptEvent = DomainEventOf<
  | AttemptTrigger
  | 'lease.secrets-handed-out'
  | 'debug.opened'
  | 'lease.expired'
  | 'lease.revoked'
  | 'artifact.recorded'
  | 'cache.saved'
>;

function isOfAttempt(event: DomainEvent): event is AttemptEvent {
  return /^(?:attempt|lease|artifact|cache|debug)\./.test(event.type);
}

const NO_RETRIES = { retries: 0, lostRetries: 0 };

/** What the aggregate keeps so as not to look at every job, recomputed by looking at every job. */
export function indexBreaches(run: RunAggregate): string[] {
  const work = workOf(run);
  if (work === null || run.state === 'absent') return [];
  const breaches: string[] = [];
  const { policy } = run.facts;
  const jobs = work.planned.map((planned, place) => ({ planned, place, progress: jobAt(work.jobs, place) }));
  const ready = jobs
    .filter(({ progress }) => progress.state === 'ready')
    .sort((a, b) => b.planned.policy.priority - a.planned.policy.priority || a.place - b.place);
  const live = jobs.flatMap(({ place, progress }) =>
    progress.state === 'active' && progress.current.state !== 'finished'
      ? [{ job: place, deadlineAtMs: attemptDeadlineMs(progress.current, policy) }]
      : [],
  );
  const finished = jobs.filter(({ progress }) => progress.state === 'finished');
  const failures = finished.filter(
    ({ planned, progress }) =>
      gatesTheRun(planned.policy) && progress.state === 'finished' && progress.outcome !== 'succeeded',
  );
  if (
    !same(
      ready.map(({ place }) => place),
      work.ready,
    )
  )
    breaches.push('the ready jobs are not the queue');
  const listed = work.live.map(({ job, deadlineAtMs }) => ({ job, deadlineAtMs })).sort((a, b) => a.job - b.job);
  if (!same(live, listed)) breaches.push('the live attempts are not the list');
  if (work.unfinishedJobs !== jobs.length - finished.length) breaches.push('unfinished jobs are miscounted');
  if (work.failures !== failures.length) breaches.push('failures are miscounted');
  return [...breaches, ...jobs.flatMap(({ place }) => unmetBreach(work, place))];
}

function unmetBreach(work: Work, place: number): string[] {
  const job = jobAt(work.jobs, place);
  if (job.state !== 'blocked') return [];
  const unmet = (work.planned[place]?.needs ?? []).filter((need) => {
    const at = work.indexOf[need] ?? -1;
    const needed = jobAt(work.jobs, at);
    const policy = work.planned[at]?.policy;
    return needed.state !== 'finished' || policy === undefined || !satisfiesDependents(policy, needed.outcome);
  });
  return unmet.length === job.unmetNeeds ? [] : [`the unmet needs of job ${place} are miscounted`];
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
