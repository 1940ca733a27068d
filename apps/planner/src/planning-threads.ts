import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FinishedPlan } from './finished-plan.ts';
import type { PlannedWithInputs, PlanningOrder } from './plan-to-text.ts';
import type { Answered, Asked } from './planning-worker.ts';

/** What a repository may take to be planned. */
export interface PlanningBounds {
  readonly heapMbMax: number;
}

/** A thousand packages take some 100 MB; four plans at a time have to fit into an ordinary machine. */
export const DEFAULT_PLANNING_BOUNDS: PlanningBounds = { heapMbMax: 1_024 };

const ENTRY = new URL(`./planning-worker${extname(import.meta.url)}`, import.meta.url);

/** What an earlier plan left behind may slow a thread down, or fill it: after so many it is replaced. */
const PLANS_MAX = 100;
/** So many plans before its last one a thread's heir is started: nobody has to wait for that then. */
const HEIR_AHEAD = 10;
/** A repository with more files than this leaves so much behind that its thread is replaced at once. */
const FILES_MAX_TO_STAY = 20_000;

/**
 * Plans one change at a time in each thread. What a repository holds decides how long planning computes and how much it
 * remembers, and repositories are written by strangers: here only their own plan is lost by it. A thread that was stopped
 * or failed is never used again. One that answered waits for the next change, because a thread's start takes a hundred
 * times as long as an ordinary plan; without one the next is started ahead.
 */
export class PlanningThreads {
  readonly #bounds: PlanningBounds;
  #spare: PlanningThread | null = null;
  /** Takes the spare's place when that one's time is over. */
  #heir: PlanningThread | null = null;
  readonly #ending = new Set<Promise<void>>();
  #open = true;

  constructor(bounds: PlanningBounds = DEFAULT_PLANNING_BOUNDS) {
    this.#bounds = bounds;
  }

  /** Starts the next plan's thread ahead. */
  warm(): void {
    if (!this.#open || this.#spare !== null) return;
    this.#spare = this.#heir ?? this.#started();
    this.#heir = null;
  }

  /**
   * Plans one change; the thread ends when `signal` aborts. Fails with whatever planning says, `planning_too_large` when
   * memory, stack or text run out, `planning_timed_out`. @throws what planning throws otherwise: a defect of ours
   */
  async plan(order: PlanningOrder, signal: AbortSignal): Promise<PlannedWithInputs> {
    const answered = await this.#ask({ kind: 'plan', order }, signal);
    if (answered.kind === 'planned') return answered.planned;
    if (answered.kind === 'read') throw new Error('the planning thread answered what it was not asked');
    return { ok: false, ...answered.failure, inputs: null };
  }

  /** What the end of a run asks of its plan's text; fails as `plan` does, and where the text is of another shape. */
  async read(text: Uint8Array, signal: AbortSignal): Promise<FinishedPlan | ThreadFailure> {
    const answered = await this.#ask({ kind: 'read', text }, signal);
    if (answered.kind === 'planned') throw new Error('the planning thread answered what it was not asked');
    if (answered.kind === 'failed') return answered.failure;
    return answered.plan ?? { code: 'invalid_plan', message: 'the plan is not of a shape that this version knows' };
  }

  async #ask(asked: Asked, signal: AbortSignal): Promise<Answered | Failed> {
    if (signal.aborted) return timedOut();
    const thread = this.#spare ?? this.#started();
    this.#spare = null;
    try {
      return await thread.ask(asked, signal);
    } finally {
      if (this.#open && this.#spare === null && thread.isSound) this.#spare = thread;
      else this.#endBehind(thread);
      if (this.#open && this.#spare === thread && thread.needsHeir) this.#heir ??= this.#started();
      this.warm();
    }
  }

  /** Its end takes some milliseconds, which the plan it has made does not wait for. */
  #endBehind(thread: PlanningThread): void {
    const ending = thread.end().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** Starts no more threads and ends those that wait. Plans under way end by their own signals. */
  async close(): Promise<void> {
    this.#open = false;
    const waiting = [this.#spare, this.#heir];
    [this.#spare, this.#heir] = [null, null];
    await Promise.all([...waiting.map(async (thread) => thread?.end()), ...this.#ending]);
  }

  #started(): PlanningThread {
    // One that fails while it waits is replaced when it is needed, and that start's failure is told.
    const thread = new PlanningThread(this.#bounds, () => {
      if (this.#spare === thread) this.#spare = null;
      if (this.#heir === thread) this.#heir = null;
    });
    return thread;
  }
}

/** Why a thread gave no answer. */
export interface ThreadFailure {
  readonly code: 'planning_too_large' | 'planning_timed_out' | 'invalid_plan';
  readonly message: string;
}

interface Failed {
  readonly kind: 'failed';
  readonly failure: ThreadFailure;
}

class PlanningThread {
  readonly #worker: Worker;
  #plans = 0;
  /** Whether it answered what it was last asked, and may be asked again. */
  #sound = true;

  constructor({ heapMbMax }: PlanningBounds, onGone: () => void) {
    // Without the environment: it holds what no repository has to do with.
    this.#worker = new Worker(ENTRY, { env: {}, resourceLimits: { maxOldGenerationSizeMb: heapMbMax } });
    this.#worker.on('error', onGone);
    this.#worker.on('exit', onGone);
  }

  get isSound(): boolean {
    return this.#sound && this.#plans < PLANS_MAX;
  }

  /** Whether its last plan is near. */
  get needsHeir(): boolean {
    return this.#plans >= PLANS_MAX - HEIR_AHEAD;
  }

  async ask(asked: Asked, signal: AbortSignal): Promise<Answered | Failed> {
    const worker = this.#worker;
    this.#plans += 1;
    this.#sound = false;
    const { promise, resolve, reject } = Promise.withResolvers<Answered | Failed>();
    const onMessage = (answered: Answered): void => {
      this.#sound = asked.kind === 'read' || asked.order.inputs.head.entries.length <= FILES_MAX_TO_STAY;
      resolve(answered);
    };
    const onError = (error: unknown): void => (isExhaustion(error) ? resolve(tooLarge(error)) : reject(error));
    const onExit = (code: number): void => reject(new Error(`the planning thread ended with ${code} and said nothing`));
    const stop = (): void => resolve(timedOut());
    worker.once('message', onMessage).once('error', onError).once('exit', onExit);
    signal.addEventListener('abort', stop, { once: true });
    worker.postMessage(asked, []);
    try {
      return await promise;
    } finally {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      signal.removeEventListener('abort', stop);
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

interface ThreadError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
}

/** The thread's heap, its stack, or the longest text there can be. */
function isExhaustion(error: unknown): error is ThreadError {
  if (typeof error !== 'object' || error === null) return false;
  const { name, code }: ThreadError = error;
  return code === 'ERR_WORKER_OUT_OF_MEMORY' || name === 'RangeError';
}

function tooLarge({ message }: ThreadError): Failed {
  const told = `planning the repository takes too much: ${message ?? ''}`;
  return { kind: 'failed', failure: { code: 'planning_too_large', message: told } };
}

function timedOut(): Failed {
  return { kind: 'failed', failure: { code: 'planning_timed_out', message: 'planning was stopped while it computed' } };
}
