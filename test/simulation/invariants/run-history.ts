import { numberIn, textIn, type EventRecord } from './record.ts';
import type { Invariant, Tally } from './tally.ts';

interface Attempt {
  readonly job: string;
  readonly number: number;
  ended: boolean;
  lease: 'none' | 'granted' | 'active' | 'over';
  runner: string | null;
}

interface Budget {
  readonly retries: number;
  readonly lostRetries: number;
  readonly retryTimeouts: boolean;
}

const ANNOTATIONS: ReadonlySet<string> = new Set([
  'run.reported',
  'failure.explained',
  'publication.recorded',
  'lease.stale-report-refused',
]);

/** 1, 2, 9 and 10 for one run, from its events alone: a second opinion that shares nothing with the product's fold. */
export class RunHistory {
  readonly runId: string;
  readonly #tally: Tally;
  readonly #attempts = new Map<string, Attempt>();
  readonly #jobsEnded = new Set<string>();
  readonly #budgets = new Map<string, Budget>();
  readonly #used = new Map<string, { lost: number; retryable: number; timeout: number }>();
  readonly #fences = new Map<string, number>();
  #canceled = false;
  #ended = false;
  #outcome: string | null = null;
  #reported = 0;

  constructor(runId: string, tally: Tally) {
    this.runId = runId;
    this.#tally = tally;
  }

  get outcome(): string | null {
    return this.#outcome;
  }

  take(record: EventRecord): void {
    const { type, data } = record;
    if (type === 'run.reported') this.#check('1 one end', ++this.#reported === 1, 'it was reported twice');
    if (ANNOTATIONS.has(type)) return;
    this.#check('1 one end', !this.#ended, `${type} after its end`);
    if (type.startsWith('run.')) this.#takeRun(type, data);
    else if (type.startsWith('job.')) this.#takeJob(type, data);
    else this.#takeAttempt(type, data);
  }

  #takeRun(type: string, data: EventRecord['data']): void {
    if (type === 'run.cancel-requested') {
      this.#check('9 nothing starts after a cancel', !this.#canceled, 'it was asked to cancel twice');
      this.#canceled = true;
    }
    if (type === 'run.planned') {
      for (const job of data['jobs'] as { key: string; policy: Budget }[]) this.#budgets.set(job.key, job.policy);
    }
    if (type !== 'run.finished') return;
    this.#ended = true;
    this.#outcome = textIn(data, 'outcome');
    const open = [...this.#attempts.values()].filter(({ ended }) => !ended);
    this.#check('1 one end', open.length === 0, `it ended before ${open.length} of its attempts`);
    this.#check('1 one end', this.#jobsEnded.size === this.#budgets.size, 'it ended before its jobs');
    this.#check(
      '9 nothing starts after a cancel',
      !this.#canceled || this.#outcome === 'canceled',
      `canceled, it ended ${this.#outcome}`,
    );
  }

  #takeJob(type: string, data: EventRecord['data']): void {
    const job = textIn(data, 'jobKey');
    this.#check('1 one end', !this.#jobsEnded.has(job), `${type} after the end of ${job}`);
    if (type === 'job.readied') this.#assertNotCanceled(`${job} was readied`);
    if (type !== 'job.finished') return;
    this.#jobsEnded.add(job);
    const open = [...this.#attempts.values()].some((attempt) => attempt.job === job && !attempt.ended);
    this.#check('1 one end', !open, `${job} ended before its attempt`);
  }

  #takeAttempt(type: string, data: EventRecord['data']): void {
    const [job, number] = [textIn(data, 'jobKey'), numberIn(data, 'attempt')];
    const name = `${job}.${number}`;
    if (type === 'attempt.queued') return this.#takeQueued(name, job, number, data);
    const attempt = this.#attempts.get(name);
    if (attempt === undefined) return this.#check('1 one end', false, `${type} of ${name}, which was never queued`);
    this.#check('1 one end', !attempt.ended, `${type} after the end of ${name}`);
    if (type === 'lease.granted') this.#takeGrant(name, attempt, data);
    else if (type === 'lease.activated') this.#takeActivation(name, attempt, data);
    else if (type === 'lease.expired' || type === 'lease.revoked') attempt.lease = 'over';
    else if (type === 'artifact.recorded')
      this.#check('2 fences', attempt.lease === 'active', `a file of ${name} without a lease`);
    else if (type === 'attempt.finished') this.#takeEnd(name, attempt, data);
  }

  #takeQueued(name: string, job: string, number: number, data: EventRecord['data']): void {
    this.#assertNotCanceled(`${name} was queued`);
    this.#check('1 one end', !this.#jobsEnded.has(job), `${name} was queued after its job ended`);
    this.#check('2 fences', !this.#attempts.has(name), `${name} was queued twice`);
    const live = [...this.#attempts.values()].some((attempt) => attempt.job === job && !attempt.ended);
    this.#check('2 fences', !live, `${name} was queued beside a live attempt`);
    this.#takeRetry(name, job, number, data['retryOf'] as { because: string } | null);
    this.#attempts.set(name, { job, number, ended: false, lease: 'none', runner: null });
  }

  #takeRetry(name: string, job: string, number: number, retryOf: { because: string } | null): void {
    const used = this.#used.get(job) ?? { lost: 0, retryable: 0, timeout: 0 };
    this.#used.set(job, used);
    if (retryOf?.because === 'lost') used.lost += 1;
    if (retryOf?.because === 'retryable-failure') used.retryable += 1;
    if (retryOf?.because === 'timeout') used.timeout += 1;
    const { retries, lostRetries, retryTimeouts } = this.#budgets.get(job) ?? {
      retries: 0,
      lostRetries: 0,
      retryTimeouts: false,
    };
    const within = used.lost <= lostRetries && used.retryable + used.timeout <= retries;
    this.#check('10 budgets', within, `${name} is over ${retries} retries and ${lostRetries} for lost runners`);
    this.#check('10 budgets', used.timeout === 0 || retryTimeouts, `${name} follows a timeout`);
    this.#check('10 budgets', number === 1 + used.lost + used.retryable + used.timeout, `${name} is not the next`);
  }

  #takeGrant(name: string, attempt: Attempt, data: EventRecord['data']): void {
    this.#assertNotCanceled(`${name} was granted`);
    const fence = numberIn(data, 'fence');
    this.#check(
      '2 fences',
      fence > (this.#fences.get(attempt.job) ?? 0),
      `the fence ${fence} of ${name} does not grow`,
    );
    this.#fences.set(attempt.job, fence);
    this.#check('2 fences', attempt.lease === 'none', `${name} was granted twice`);
    attempt.lease = 'granted';
    attempt.runner = textIn(data, 'runnerId');
  }

  #takeActivation(name: string, attempt: Attempt, data: EventRecord['data']): void {
    const current = numberIn(data, 'fence') === this.#fences.get(attempt.job);
    this.#check('2 fences', current && attempt.lease === 'granted', `${name} was taken under no current lease`);
    attempt.lease = 'active';
  }

  #takeEnd(name: string, attempt: Attempt, data: EventRecord['data']): void {
    const held = attempt.lease === 'active' || (attempt.lease === 'granted' && data['outcome'] === 'canceled');
    const byReport = data['report'] !== null;
    this.#check('2 fences', !byReport || held, `a report on ${name} counted without a live lease`);
    const current = attempt.lease === 'none' || attempt.number === this.#fences.get(attempt.job);
    this.#check('2 fences', current, `a report on ${name} counted although a later lease was granted`);
    attempt.ended = true;
    attempt.lease = 'over';
  }

  #assertNotCanceled(what: string): void {
    this.#check('9 nothing starts after a cancel', !this.#canceled, `${what} after the cancel`);
  }

  #check(invariant: Invariant, holds: boolean, what: string): void {
    this.#tally.check(invariant, holds, () => `${this.runId}: ${what}`);
  }
}
