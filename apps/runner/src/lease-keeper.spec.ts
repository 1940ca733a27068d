import { describe, expect, it } from '@jest/globals';
import type { HeartbeatAnswer, HeartbeatRequest } from '@delta-ci/contracts';
import { Refused, Unreachable } from './gateway-client.ts';
import { LeaseKeeper } from './lease-keeper.ts';

const ANSWER: HeartbeatAnswer = { extend: true, ttlMs: 1_000, cancelRequested: false, cancelDeadlineAtMs: null };

/** A keeper whose gateway answers from a list; the last answer repeats. The clock moves a second with every look. */
function keeperWith(answers: readonly (HeartbeatAnswer | Error)[], beats: HeartbeatRequest[] = []) {
  let now = 0;
  let at = 0;
  return new LeaseKeeper(
    { ttlMs: 3_000, heartbeatMs: 1 },
    {
      beat: async (beat) => {
        beats.push(beat);
        const answer = answers[Math.min(at++, answers.length - 1)] ?? ANSWER;
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
      nowMs: () => (now += 1_000),
      onTrouble: () => undefined,
    },
  );
}

async function stopped(keeper: LeaseKeeper): Promise<string | null> {
  keeper.start();
  if (!keeper.signal.aborted) {
    await new Promise((resolve) => keeper.signal.addEventListener('abort', resolve, { once: true }));
  }
  await keeper.release();
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

  it('given no answer for as long as the lease lives, then the job stops by itself', async () => {
    expect(await stopped(keeperWith([ANSWER, new Unreachable('down')]))).toBe('lost-contact');
  });

  it('given one lost answer, then the job goes on', async () => {
    const beats: HeartbeatRequest[] = [];
    const keeper = keeperWith([new Unreachable('down'), ANSWER, { ...ANSWER, cancelRequested: true }], beats);
    expect(await stopped(keeper)).toBe('canceled');
    expect(beats.length).toBe(3);
  });

  it('given a new phase, then it is told at once', async () => {
    const beats: HeartbeatRequest[] = [];
    const keeper = keeperWith([{ ...ANSWER, cancelRequested: true }], beats);
    keeper.report({ phase: 'running', step: 'test' });
    expect(await stopped(keeper)).toBe('canceled');
    expect(beats[0]).toMatchObject({ phase: 'running', step: 'test' });
  });
});
