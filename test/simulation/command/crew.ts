import { Worker } from 'node:worker_threads';
import { compileSources, type Sources } from '../loading/compile-sources.mjs';
import type { Mutant } from '../mutant.ts';
import type { SeedOrder, SeedResult } from '../world/seed.ts';

const ENTRY = new URL('worker.ts', import.meta.url);
const HOOKS = new URL('../loading/load-sources.mjs', import.meta.url);

/** Almost nothing outlives its step: the more room for what is new, the less is copied in vain. */
const YOUNG_MB = 64;

/** Threads that run seeds, each in a realm of its own. */
export class Crew {
  readonly #sources: Sources;
  readonly #size: number;

  /** @throws when the mutant does not find its place in the sources */
  constructor(size: number, mutant: Mutant | null) {
    this.#size = size;
    this.#sources = compileSources(mutant);
  }

  /**
   * Runs the orders; `onResult` hears each and says whether to go on. Rejects when a thread dies, e.g. because the sources
   * cannot be loaded.
   */
  async run(orders: Iterator<SeedOrder>, onResult: (result: SeedResult) => boolean): Promise<void> {
    let goesOn = true;
    const next = (): SeedOrder | null => {
      const order = goesOn ? orders.next() : { done: true as const, value: undefined };
      return order.done === true ? null : order.value;
    };
    const hear = (result: SeedResult): void => {
      goesOn = onResult(result) && goesOn;
    };
    await Promise.all(Array.from({ length: this.#size }, () => this.#member(next, hear)));
  }

  #member(next: () => SeedOrder | null, hear: (result: SeedResult) => void): Promise<void> {
    const worker = new Worker(ENTRY, {
      execArgv: ['--import', HOOKS.href],
      workerData: { sources: this.#sources },
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    return new Promise<void>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('exit', (code) => {
        if (code !== 0) reject(new Error(`a thread ended with ${code}`));
      });
      worker.on('message', (said: 'ready' | SeedResult) => {
        if (said !== 'ready') hear(said);
        const order = next();
        worker.postMessage(order ?? 'end', []);
        if (order === null) worker.on('exit', () => resolve());
      });
    });
  }
}
