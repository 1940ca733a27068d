import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs, retryWithBackoff } from './retry-with-backoff.ts';

const policy = { initialMs: 100, capMs: 1_000 };

/** A wait that passes at once and remembers how long it would have been. */
function remembered(): { waits: number[]; wait: (waitMs: number) => Promise<void> } {
  const waits: number[] = [];
  return { waits, wait: async (waitMs) => void waits.push(waitMs) };
}

describe('backoffMs', () => {
  it('doubles the bound with each failure up to the cap', () => {
    const almostOne = 1 - Number.EPSILON;
    const bounds = [1, 2, 3, 4, 5, 6, 60].map((attempt) => backoffMs(policy, attempt, almostOne));
    expect(bounds).toEqual([99, 199, 399, 799, 999, 999, 999]);
  });

  it('is anything from 0 to the bound, and never more than the cap', () => {
    const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), randoms, (attempt, random) => {
        const waitMs = backoffMs(policy, attempt, random);
        return Number.isInteger(waitMs) && waitMs >= 0 && waitMs <= policy.capMs;
      }),
    );
    expect(backoffMs(policy, 3, 0)).toBe(0);
  });
});

describe('retryWithBackoff', () => {
  it('tries until it succeeds and tells each wait', async () => {
    const { waits, wait } = remembered();
    const told: number[] = [];
    const onRetry = ({ attempt }: { attempt: number }) => void told.push(attempt);
    const answer = await retryWithBackoff({ ...policy, wait, random: () => 0.5, onRetry }, async (attempt) => {
      if (attempt < 4) throw new Error('not yet');
      return `done at ${attempt}`;
    });
    expect(answer).toBe('done at 4');
    expect(waits).toEqual([50, 100, 200]);
    expect(told).toEqual([1, 2, 3]);
  });

  it('passes on the last failure when the attempts are used up', async () => {
    const { waits, wait } = remembered();
    const failing = retryWithBackoff({ ...policy, attemptsMax: 3, wait }, async (attempt) => {
      throw new Error(`failure ${attempt}`);
    });
    await expect(failing).rejects.toThrow('failure 3');
    expect(waits).toHaveLength(2);
  });

  it('waits as long as the failure asks for at least, beyond the cap as well', async () => {
    const { waits, wait } = remembered();
    const leastWaitMs = (error: unknown) => (error instanceof Error ? Number(error.message) : 0);
    const asked = ['0', '30', '5000'];
    const answer = await retryWithBackoff({ ...policy, wait, random: () => 0.5, leastWaitMs }, async () => {
      const next = asked.shift();
      if (next !== undefined) throw new Error(next);
      return 'done';
    });
    expect([answer, waits]).toEqual(['done', [50, 100, 5_000]]);
  });

  it('does not wait for what waiting cannot cure', async () => {
    const { waits, wait } = remembered();
    const isRetryable = (error: unknown) => error instanceof Error && error.message !== 'wrong password';
    const failing = retryWithBackoff({ ...policy, wait, isRetryable }, async () => {
      throw new Error('wrong password');
    });
    await expect(failing).rejects.toThrow('wrong password');
    expect(waits).toEqual([]);
  });

  it('ends at once when aborted, before trying and in the middle of a real wait', async () => {
    const stopped = new Error('stopping');
    const tries: number[] = [];
    const signal = AbortSignal.abort(stopped);
    const never = retryWithBackoff({ ...policy, signal }, async (attempt) => void tries.push(attempt));
    await expect(never).rejects.toBe(stopped);
    expect(tries).toEqual([]);

    const controller = new AbortController();
    const anHour = { initialMs: 3_600_000, capMs: 3_600_000, random: () => 0.9 };
    const onRetry = () => controller.abort(stopped);
    const waiting = retryWithBackoff({ ...anHour, signal: controller.signal, onRetry }, async () => {
      throw new Error('not yet');
    });
    await expect(waiting).rejects.toBe(stopped);
  });
});
