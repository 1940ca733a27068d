import { describe, expect, it } from '@jest/globals';
import { RunQueue, type LookCause } from './run-queue.ts';

const RUN = `run_${'1'.repeat(32)}`;
const OTHER = `run_${'2'.repeat(32)}`;
const because = (causation: string): LookCause => ({ causation, traceparent: null });

/** Looks that end when they are told to. */
class Looks {
  readonly begun: string[] = [];
  underWayMost = 0;
  readonly #open: ((againInMs: number | null) => void)[] = [];
  #awaited: { count: number; resolve: () => void } | null = null;

  readonly look = async (runId: string, { causation }: LookCause): Promise<number | null> => {
    this.begun.push(`${runId.at(-1)} ${causation}`);
    const { promise, resolve } = Promise.withResolvers<number | null>();
    this.#open.push(resolve);
    this.underWayMost = Math.max(this.underWayMost, this.#open.length);
    if (this.#awaited !== null && this.begun.length >= this.#awaited.count) this.#awaited.resolve();
    return promise;
  };

  end(againInMs: number | null = null): void {
    this.#open.shift()?.(againInMs);
  }

  async until(count: number): Promise<void> {
    if (this.begun.length >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { count, resolve };
    await promise;
  }
}

const queueOf = (looks: Looks, concurrency = 4): RunQueue =>
  new RunQueue({ look: looks.look, coalesceMs: 5, concurrency, nowMs: () => performance.now() });

describe('the queue of runs to look at', () => {
  it('given a hundred wishes during a look, then there is one more look, for the last of them', async () => {
    const looks = new Looks();
    const queue = queueOf(looks);
    queue.want(RUN, because('first'));
    await looks.until(1);
    for (let wish = 1; wish <= 100; wish += 1) queue.want(RUN, because(`wish-${wish}`), wish % 2 === 0);
    looks.end();
    await looks.until(2);
    looks.end();
    await queue.close();
    expect(looks.begun).toEqual(['1 first', '1 wish-100']);
    expect(looks.underWayMost).toBe(1);
  });

  it('given a look that failed, then the run is looked at again without a wish', async () => {
    const looks = new Looks();
    const queue = queueOf(looks);
    queue.want(RUN, because('event'));
    await looks.until(1);
    looks.end(1);
    await looks.until(2);
    looks.end();
    await queue.close();
    expect(looks.begun).toEqual(['1 event', '1 event']);
  });

  it('given more runs than places, then they wait for a place and all come', async () => {
    const looks = new Looks();
    const queue = queueOf(looks, 1);
    queue.want(RUN, because('a'));
    queue.want(OTHER, because('b'));
    await looks.until(1);
    looks.end();
    await looks.until(2);
    looks.end();
    await queue.close();
    expect(looks.begun).toEqual(['1 a', '2 b']);
    expect(looks.underWayMost).toBe(1);
  });

  it('given a queue that closes, then it waits for the look under way and begins no other', async () => {
    const looks = new Looks();
    const queue = queueOf(looks);
    queue.want(RUN, because('a'));
    await looks.until(1);
    queue.want(RUN, because('b'), true);
    const closed = queue.close();
    queue.want(OTHER, because('c'), true);
    looks.end();
    await closed;
    expect(looks.begun).toEqual(['1 a']);
  });
});
