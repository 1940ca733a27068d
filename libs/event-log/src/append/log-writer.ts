import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { refuse, type CommandAnswer, type RunId } from '@delta-ci/contracts';
import type { Pool } from 'pg';
import { AggregateCache } from './aggregate-cache.ts';
import { batchClient } from './batch-client.ts';
import { clashingIndexOf, failureOf } from './batch-failure.ts';
import { commitBatch, type BatchStep, type CommittedBatch } from './commit-batch.ts';
import { HeadPrediction } from './head-prediction.ts';
import { answerToRepeat, type OnFault } from './decide-batch.ts';
import type { Submission } from './submission.ts';

export interface LogWriterOptions {
  /** The hot pool of `openLog`, as the orchestrator's role. */
  readonly pool: Pool;
  /** Told about decisions that threw and batches that failed for good. */
  readonly onFault?: OnFault;
  /** Told how far the transaction of a batch has come; for tests that end the process there. */
  readonly onStep?: (step: BatchStep) => void;
  /** Told about every committed batch, for metrics. */
  readonly onCommit?: (batch: BatchMeasure) => void;
  /** Submissions that may wait; more are refused as `unavailable`. Default 5,000: about a second of work. */
  readonly waitingMax?: number;
  /** Submissions in one transaction. Default 256: larger batches bring little and hold the head longer. */
  readonly batchMax?: number;
  /**
   * Transactions under way at a time. Default 2: while the database works on one batch, the next is decided. They
   * never concern the same runs.
   */
  readonly transactionsMax?: number;
  /** How long a batch is tried again while the database is away. Default 20 s: less than a runner's patience. */
  readonly patienceMs?: number;
  /** Folded runs kept in memory, by the number of events that made them. Default 200,000: some 100 MB at most. */
  readonly cachedEventsMax?: number;
  /** Default true. False for poolers that do not carry prepared statements over. */
  readonly preparedStatements?: boolean;
}

export interface BatchMeasure {
  readonly submissions: number;
  readonly events: number;
  readonly tookMs: number;
}

interface Waiting {
  readonly submission: Submission;
  readonly answer: Promise<CommandAnswer>;
  readonly resolve: (answer: CommandAnswer) => void;
}

/** Up to so many waiting submissions go together; of more, half is left for the next transaction to begin with. */
const SHARE_MIN = 32;

/** Whoever else put the row has committed by the first look; a row that still clashes does so with our own. */
const CLASHES_MAX = 3;
const RETRY_FIRST_MS = 10;
const RETRY_MAX_MS = 1_000;
/** What a refused sender is told to wait. */
const RETRY_AFTER_MS = 1_000;

/**
 * The one way into the log. Submissions that arrive while a transaction is under way go together into the next one:
 * a lone submission waits for nobody, and under load one commit carries hundreds. Several writers, in one process or
 * many, may work on the same database.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #cache: AggregateCache;
  readonly #prediction = new HeadPrediction();
  /** Everything not yet answered, by id: a repeat of it waits for the same answer. */
  readonly #unanswered = new Map<string, Waiting>();
  #queue: Waiting[] = [];
  /** Runs of the transactions under way. */
  readonly #busyRuns = new Set<RunId>();
  readonly #underWay = new Set<Promise<void>>();
  #turnComes = false;
  #closed = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    this.#cache = new AggregateCache(options.cachedEventsMax ?? 200_000);
  }

  /** Submissions not answered yet. */
  get waiting(): number {
    return this.#unanswered.size;
  }

  /** Decides and records. Resolves when the decision is committed, or refused; never rejects. */
  async submit(submission: Submission): Promise<CommandAnswer> {
    const same = this.#unanswered.get(submission.id);
    if (same !== undefined) {
      const earlier = { answer: await same.answer, fingerprint: same.submission.fingerprint ?? null };
      return answerToRepeat(submission, earlier);
    }
    if (this.#closed) return unavailable('the writer is closing');
    if (this.#unanswered.size >= (this.#options.waitingMax ?? 5_000)) return unavailable('too much is waiting already');
    return this.#enqueue(submission).answer;
  }

  /** Takes nothing more and resolves when everything taken has been answered. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#unanswered.values()].map((waiting) => waiting.answer));
    await Promise.all(this.#underWay);
  }

  #enqueue(submission: Submission): Waiting {
    const { promise, resolve } = Promise.withResolvers<CommandAnswer>();
    const waiting = { submission, answer: promise, resolve };
    this.#unanswered.set(submission.id, waiting);
    this.#queue.push(waiting);
    void this.#workNextTurn();
    return waiting;
  }

  /** One turn of the event loop: what arrived together is decided together. */
  async #workNextTurn(): Promise<void> {
    if (this.#turnComes) return;
    this.#turnComes = true;
    await nextTurn();
    this.#turnComes = false;
    while (this.#underWay.size < (this.#options.transactionsMax ?? 2)) {
      const batch = this.#takeBatch();
      if (batch.length === 0) return;
      const work = this.#work(batch).finally(() => {
        this.#underWay.delete(work);
        void this.#workNextTurn();
      });
      this.#underWay.add(work);
    }
  }

  /** Waiting submissions whose runs are free, in order; the others wait for the transaction that has their runs. */
  #takeBatch(): Waiting[] {
    const share = Math.max(SHARE_MIN, Math.ceil(this.#queue.length / 2));
    const batchMax = Math.min(share, this.#options.batchMax ?? 256);
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    for (const waiting of this.#queue) {
      const free = batch.length < batchMax && !waiting.submission.runs.some((runId) => this.#busyRuns.has(runId));
      (free ? batch : left).push(waiting);
    }
    this.#queue = left;
    return batch;
  }

  async #work(batch: readonly Waiting[]): Promise<void> {
    const runs = batch.flatMap(({ submission }) => submission.runs);
    for (const runId of runs) this.#busyRuns.add(runId);
    await this.#settleAll(batch);
    for (const runId of runs) this.#busyRuns.delete(runId);
  }

  /** A batch that fails because of its content is taken apart, so that only the submission at fault is refused. */
  async #settleAll(batch: readonly Waiting[]): Promise<void> {
    try {
      this.#answer(batch, await this.#commitPatiently(batch));
    } catch (error) {
      if (failureOf(error) === 'passing') return this.#refuseAll(batch, unavailable('the database is away'));
      if (batch.length > 1) {
        for (const one of batch) await this.#settleAll([one]);
        return;
      }
      for (const waiting of batch) this.#refuseUnrecorded(waiting, error);
    }
  }

  #refuseUnrecorded(waiting: Waiting, error: unknown): void {
    const { submission } = waiting;
    const index = clashingIndexOf(error);
    const clash = index === null ? null : (submission.refuseClash?.(index) ?? null);
    if (clash === null) this.#options.onFault?.({ submissionId: submission.id, error });
    const refusal = clash ?? refuse('internal', 'the decision could not be recorded');
    this.#resolve(waiting, { ok: false, refusal });
  }

  async #commitPatiently(batch: readonly Waiting[]): Promise<readonly CommandAnswer[]> {
    const submissions = batch.map((waiting) => waiting.submission);
    const giveUpAt = performance.now() + (this.#options.patienceMs ?? 20_000);
    let clashes = 0;
    // The first time it is tried again at once: most often somebody else was quicker, and is done now.
    for (let waitMs = 0; ; waitMs = Math.min(waitMs * 2 + RETRY_FIRST_MS, RETRY_MAX_MS)) {
      try {
        return await this.#commitOnce(submissions);
      } catch (error) {
        const failure = failureOf(error);
        if (failure === 'content' || (failure === 'clash' && ++clashes > CLASHES_MAX)) throw error;
        // Not after a clash, however late it is (a process may have been frozen): the next look says what it was.
        if (failure === 'passing' && performance.now() > giveUpAt) throw error;
      }
      await delay(waitMs * (0.5 + Math.random() / 2));
    }
  }

  async #commitOnce(submissions: readonly Submission[]): Promise<readonly CommandAnswer[]> {
    const startedAt = performance.now();
    const batch = await this.#inTransaction(submissions);
    this.#options.onCommit?.({
      submissions: submissions.length,
      events: batch.eventCount,
      tookMs: performance.now() - startedAt,
    });
    return batch.answers;
  }

  async #inTransaction(submissions: readonly Submission[]): Promise<CommittedBatch> {
    const connection = await this.#options.pool.connect();
    const client = batchClient(connection, this.#options.preparedStatements ?? true);
    const onFault = this.#options.onFault ?? (() => undefined);
    const onStep = this.#options.onStep ?? (() => undefined);
    const context = { client, cache: this.#cache, prediction: this.#prediction, onFault, onStep };
    try {
      const committed = await commitBatch(submissions, context);
      connection.release();
      return committed;
    } catch (error) {
      // What was sent is answered before the rollback is; a connection that cannot even do that is not used again.
      await client.rollback().then(
        () => connection.release(),
        () => connection.release(true),
      );
      throw error;
    }
  }

  #answer(batch: readonly Waiting[], answers: readonly CommandAnswer[]): void {
    batch.forEach((waiting, index) => {
      const answer = answers[index];
      if (answer === undefined) throw new Error('a submission was left without an answer');
      this.#resolve(waiting, answer);
    });
  }

  #refuseAll(batch: readonly Waiting[], answer: CommandAnswer): void {
    for (const waiting of batch) this.#resolve(waiting, answer);
  }

  #resolve(waiting: Waiting, answer: CommandAnswer): void {
    this.#unanswered.delete(waiting.submission.id);
    waiting.resolve(answer);
  }
}

function unavailable(why: string): CommandAnswer {
  return { ok: false, refusal: refuse('unavailable', why, { retryAfterMs: RETRY_AFTER_MS }) };
}
