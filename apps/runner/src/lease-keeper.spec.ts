import { describe, expect, it } from '@jest/globals';
import type { HeartbeatAnswer, HeartbeatRequest } from '@delta-ci/contracts';
import { Refused, Unreachable } from './gateway-client.ts';
import { LeaseKeeper } from './lease-keeper.ts';

const ANSWER: HeartbeatAnswer = { extend: true, ttlMs: 60_000, cancelRequested: false, cancelDeadlineAtMs: null };

/** A keeper whose gateway answers from a list; the last answer repeats. */
function keeperWith(answers: readonly (HeartbeatAnswer | Error)[], beats: HeartbeatRequest[] = [], ttlMs = 60_000) {
  let at = 0;
  return new LeaseKeeper(
    { ttlMs, heartbeatMs: 1, acceptanceMs: ttlMs },
    {
      beat: async (beat) => {
        beats.push(beat);
        const answer = answers[Math.min(at++, answers.length - 1)] ?? ANSWER;
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
      onTrouble: () => undefined,
    },
  );
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

async function stopped(keeper: LeaseKeeper): Promise<string | null> {
  keeper.start(performance.now());
  await aborted(keeper.signal);
  await keeper.close();
  return keeper.reason;
}

describe('keeping a lease', () => {
  it('given a cancel request in an answer, then the job stops as canceled', async () => {
    expect(await stopped(keeperWith([ANSWER, { ...ANSWER, cancelRequested: true }]))).toBe('canceled');
  });

  it('given a stale lease, then the job stops and nothing more is said', async () => {
    expect(await stopped(keeperWith([ANSWER, new Refused('stale_lease', 'gone', { reason: 'expired' })]))).toBe(
      'stale',
    );
  });

  it('given no answer for as long as the lease lives, then the job stops by itself and the lease counts as gone', async () => {
    const keeper = keeperWith([new Unreachable('down')], [], 50);
    expect(await stopped(keeper)).toBe('lost-contact');
    expect(keeper.gone.aborted).toBe(true);
  });

  it('given a gateway that never answers a heartbeat, then the lease is over all the same', async () => {
    const { promise, resolve } = Promise.withResolvers<HeartbeatAnswer>();
    const ports = { beat: async () => promise, onTrouble: () => undefined };
    const keeper = new LeaseKeeper({ ttlMs: 50, heartbeatMs: 1, acceptanceMs: 50 }, ports);
    keeper.start(performance.now());
    await aborted(keeper.gone);
    expect(keeper.reason).toBe('lost-contact');
    resolve(ANSWER);
    await keeper.close();
  });

  it('given a lease that nobody lets us acknowledge in time, then it is gone', async () => {
    const keeper = keeperWith([ANSWER], [], 20);
    await aborted(keeper.gone);
    expect(keeper.reason).toBe('lost-contact');
    await keeper.close();
  });

  it('given a job that was canceled, when the lease turns out to be stale, then nothing may be said any more', async () => {
    const keeper = keeperWith([
      { ...ANSWER, cancelRequested: true },
      new Refused('stale_lease', 'gone', { reason: 'revoked' }),
    ]);
    keeper.start(performance.now());
    await aborted(keeper.gone);
    expect(keeper.reason).toBe('stale');
    await keeper.close();
  });

  it('given one lost answer, then the job goes on', async () => {
    const beats: HeartbeatRequest[] = [];
    const keeper = keeperWith([new Unreachable('down'), ANSWER, { ...ANSWER, cancelRequested: true }], beats);
    expect(await stopped(keeper)).toBe('canceled');
    expect(beats.length).toBe(3);
  });

  it('given a new phase, then it is told as soon as the lease is acknowledged', async () => {
    const beats: HeartbeatRequest[] = [];
    const keeper = keeperWith([{ ...ANSWER, cancelRequested: true }], beats);
    keeper.report({ phase: 'running', step: 'test' });
    expect(await stopped(keeper)).toBe('canceled');
    expect(beats[0]).toMatchObject({ phase: 'running', step: 'test' });
  });
});
