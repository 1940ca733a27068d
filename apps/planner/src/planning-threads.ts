import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PlanningInputs } from '@delta-ci/planning';
import type { PlannedWithInputs } from './plan-to-text.ts';

/** What a repository may take to be planned. */
export interface PlanningBounds {
  readonly heapMbMax: number;
}

/** A thousand packages take some 100 MB; four plans at a time have to fit into an ordinary machine. */
export const DEFAULT_PLANNING_BOUNDS: PlanningBounds = { heapMbMax: 1_024 };

const ENTRY = new URL(`./planning-worker${extname(import.meta.url)}`, import.meta.url);

/**
 * Plans each change in a thread of its own. What a repository holds decides how long planning computes and how much it
 * remembers, and repositories are written by strangers: here only their own plan is lost by it. A thread plans once; the
 * next one is started ahead, because a thread's start takes longer than an ordinary plan.
 */
export class PlanningThreads {
  readonly #bounds: PlanningBounds;
  #spare: Worker | null = null;
  #open = true;

  constructor(bounds: PlanningBounds = DEFAULT_PLANNING_BOUNDS) {
    this.#bounds = bounds;
  }

  /** Starts the next plan's thread ahead. */
  warm(): void {
    if (this.#open) this.#spare ??= this.#started();
  }

  /**
   * Plans one change; the thread ends when `signal` aborts. Fails with whatever planning says, `planning_too_large` when
   * memory, stack or text run out, `planning_timed_out`. @throws what planning throws otherwise: a defect of ours
   */
  async plan(inputs: PlanningInputs, signal: AbortSignal): Promise<PlannedWithInputs> {
    if (signal.aborted) return timedOut();
    const worker = this.#spare ?? this.#started();
    this.#spare = null;
    const { promise, resolve, reject } = Promise.withResolvers<PlannedWithInputs>();
    const stop = (): void => resolve(timedOut());
    signal.addEventListener('abort', stop, { once: true });
    worker.once('message', (planned: PlannedWithInputs) => resolve(planned));
    worker.once('error', (error) => (isExhaustion(error) ? resolve(tooLarge(error)) : reject(error)));
    worker.once('exit', (code) => reject(new Error(`the planning thread ended with ${code} and said nothing`)));
    worker.postMessage(inputs, []);
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', stop);
      await worker.terminate();
      this.warm();
    }
  }

  /** Starts no more threads and ends the spare one. Plans under way end by their own signals. */
  async close(): Promise<void> {
    this.#open = false;
    const spare = this.#spare;
    this.#spare = null;
    await spare?.terminate();
  }

  #started(): Worker {
    // Without the environment: it holds what no repository has to do with.
    const worker = new Worker(ENTRY, { env: {}, resourceLimits: { maxOldGenerationSizeMb: this.#bounds.heapMbMax } });
    const forget = (): void => {
      if (this.#spare === worker) this.#spare = null;
    };
    // One that fails while it waits is replaced when it is needed, and that start's failure is told.
    worker.on('error', forget);
    worker.on('exit', forget);
    return worker;
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

function tooLarge({ message }: ThreadError): PlannedWithInputs {
  const told = `planning the repository takes too much: ${message ?? ''}`;
  return { ok: false, code: 'planning_too_large', message: told, inputs: null };
}

function timedOut(): PlannedWithInputs {
  return { ok: false, code: 'planning_timed_out', message: 'planning was stopped while it computed', inputs: null };
}
