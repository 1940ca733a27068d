import { describe, expect, it, jest } from '@jest/globals';
import { refuse, type DispatchMessage } from '@delta-ci/contracts';
import type { PullDispatchOutcome, PulledDispatch } from '@delta-ci/bus';
import { PoolDesk, type DeskPorts, type GrantOutcome, type WaitEnd, type WaitingRunner } from './pool-desk.ts';

/** How long a runner sits before the gateway asks for it again. */
const GATEWAY_REQUEST_MS = 5_000;
const ANY_REQUIREMENTS: DispatchMessage['requirements'] = {
  pool: 'default',
  os: 'linux',
  isolation: 'sandbox',
  toolchains: [],
  labels: [],
};
const RUN = `run_${'1'.repeat(32)}`;

/** A queue that hands out what is put into it and remembers what became of each message. */
function queue() {
  const waiting: PulledDispatch[] = [];
  const fate: string[] = [];
  let wake: () => void = () => undefined;
  const put = (jobKey: string, over: Partial<DispatchMessage['requirements']> = {}, priority = 0): void => {
    const requirements = { ...ANY_REQUIREMENTS, ...over };
    const dispatch = {
      runId: RUN,
      jobKey,
      attempt: 1,
      pool: 'default',
      priority,
      requirements,
      queuedAtMs: 0,
      traceparent: null,
    };
    waiting.push({
      dispatch,
      deliveries: 1,
      ack: () => void fate.push(`ack ${jobKey}`),
      nak: (delayMs) => void fate.push(`nak ${jobKey} ${delayMs}`),
      inProgress: () => undefined,
    });
    wake();
  };
  const pull = async (max: number): Promise<PullDispatchOutcome> => {
    if (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return { messages: waiting.splice(0, max), end: 'expired' };
  };
  return { put, pull, fate, release: () => wake() };
}

function runner(number: number, isolation: 'sandbox' | 'process' = 'sandbox'): WaitingRunner {
  return {
    commandId: `c${number}`,
    actor: { kind: 'runner', name: `r${number}` },
    runnerId: `rnr_${String(number).repeat(32).slice(0, 32)}`,
    leaseHash: String(number).repeat(64).slice(0, 64),
    capabilities: { os: 'linux', arch: 'x64', isolation: [isolation], toolchains: [], labels: [] },
    waitMs: 30_000,
  };
}

const leaseFor = (work: PulledDispatch): GrantOutcome => ({
  kind: 'granted',
  lease: {
    runId: RUN,
    jobKey: work.dispatch.jobKey,
    attempt: 1,
    fence: 1,
    planDigest: `sha256:${'0'.repeat(64)}`,
    ttlMs: 1,
    heartbeatMs: 1,
    acceptanceMs: 1,
    maxRuntimeMs: 1,
    traceparent: null,
  },
});

const NONE: WaitEnd = { kind: 'none' };
const jobIn = (end: WaitEnd): string => (end.kind === 'granted' ? end.lease.jobKey : end.kind);

function desk(over: Partial<DeskPorts>): PoolDesk {
  return new PoolDesk('default', {
    pull: async () => Promise.reject(new Error('not asked')),
    grant: async (_runner, work) => Promise.resolve(leaseFor(work)),
    pause: async () => Promise.resolve(),
    onTrouble: () => undefined,
    ...over,
  });
}

describe('a pool desk', () => {
  it('given waiting runners and work, then each attempt goes to one runner and is acknowledged after its grant', async () => {
    const work = queue();
    const place = desk({ pull: work.pull });
    const leases = [place.wait(runner(1)), place.wait(runner(2))];
    work.put('low');
    work.put('high', {}, 5);
    const granted = (await Promise.all(leases)).map(jobIn);
    expect(new Set(granted)).toEqual(new Set(['high', 'low']));
    expect(new Set(work.fate)).toEqual(new Set(['ack high', 'ack low']));
    await place.close();
  });

  it('given work that waits no more, then the runner keeps its seat and gets the next', async () => {
    const work = queue();
    const grant: DeskPorts['grant'] = async (_runner, offered) =>
      Promise.resolve(offered.dispatch.jobKey === 'gone' ? { kind: 'gone' } : leaseFor(offered));
    const place = desk({ pull: work.pull, grant });
    const lease = place.wait(runner(1));
    work.put('gone');
    work.put('fresh');
    expect(jobIn(await lease)).toBe('fresh');
    expect(work.fate).toContain('ack gone');
    await place.close();
  });

  it('given a runner that asks again for the same lease, then both requests end without work, and its seat is free', async () => {
    const work = queue();
    const place = desk({ pull: work.pull });
    const first = place.wait(runner(1));
    expect(await place.wait({ ...runner(1), leaseHash: '9'.repeat(64), waitMs: 0 })).toEqual(NONE);
    expect(place.waiting).toBe(1);
    expect(await place.wait({ ...runner(1), waitMs: 0 })).toEqual(NONE);
    expect(await first).toEqual(NONE);
    expect(place.waiting).toBe(0);
    work.release();
    await place.close();
  });

  it('given work that no waiting runner may do, then it goes back for others', async () => {
    const work = queue();
    const place = desk({ pull: work.pull });
    const lease = place.wait(runner(1, 'process'));
    work.put('strict');
    work.put('lenient', { isolation: 'process' });
    expect(jobIn(await lease)).toBe('lenient');
    expect(work.fate.some((entry) => entry.startsWith('nak strict'))).toBe(true);
    await place.close();
  });

  it('given a runner that may not have the work, then the work goes back at once, and the runner is told why', async () => {
    const work = queue();
    const refusal = refuse('invalid_transition', 'the runner holds another lease');
    const place = desk({ pull: work.pull, grant: async () => Promise.resolve({ kind: 'refused', refusal }) });
    const lease = place.wait(runner(1));
    work.put('job');
    expect(await lease).toEqual({ kind: 'refused', refusal });
    expect(work.fate).toEqual(['nak job 0']);
    expect(place.waiting).toBe(0);
    await place.close();
  });

  it('given a grant nobody knows the end of, then the message comes again and the runner is told there is none', async () => {
    const work = queue();
    const place = desk({ pull: work.pull, grant: async () => Promise.reject(new Error('commit unknown')) });
    const lease = place.wait(runner(1));
    work.put('job');
    expect(await lease).toEqual(NONE);
    expect(work.fate).toEqual(['nak job 500']);
    await place.close();
  });

  it('given a desk that closes, then everybody is sent home, and what was pulled meanwhile is handed back', async () => {
    const work = queue();
    const place = desk({ pull: work.pull });
    const lease = place.wait(runner(1));
    const closed = place.close();
    expect(await lease).toEqual(NONE);
    expect(await place.wait(runner(2))).toEqual(NONE);
    work.put('late');
    await closed;
    expect(work.fate).toEqual(['nak late 0']);
  });

  it('given a runner for which the queue had nothing, then work it could do is missed, and other work is not', async () => {
    const work = queue();
    const { promise: askedAgain, resolve: asksAgain } = Promise.withResolvers<void>();
    let pulls = 0;
    const pull: DeskPorts['pull'] = async (max) => {
      pulls += 1;
      if (pulls === 1) return { messages: [], end: 'expired' };
      asksAgain();
      return work.pull(max);
    };
    const place = desk({ pull });
    const lease = place.wait(runner(1));
    expect(place.couldHaveServed(ANY_REQUIREMENTS)).toBe(false);
    await askedAgain;
    expect(place.couldHaveServed(ANY_REQUIREMENTS)).toBe(true);
    expect(place.couldHaveServed({ ...ANY_REQUIREMENTS, os: 'darwin' })).toBe(false);
    work.put('job');
    await lease;
    expect(place.couldHaveServed(ANY_REQUIREMENTS)).toBe(false);
    await place.close();
  });

  it('given a lone runner that sits as long as a request of the gateway, then work it could do is missed meanwhile', async () => {
    jest.useFakeTimers();
    try {
      const { promise: pulled, resolve: onPull } = Promise.withResolvers<number>();
      const pulls = [
        Promise.withResolvers<PullDispatchOutcome>(),
        Promise.withResolvers<PullDispatchOutcome>(),
      ] as const;
      let begun = 0;
      const pull: DeskPorts['pull'] = async (_max, expiresMs) => {
        onPull(expiresMs);
        return pulls[begun++ === 0 ? 0 : 1].promise;
      };
      const place = desk({ pull });
      const lease = place.wait({ ...runner(1), waitMs: GATEWAY_REQUEST_MS });
      // The server counts from when it hears of the request, and its answer takes as long again.
      await jest.advanceTimersByTimeAsync((await pulled) + 5);
      pulls[0].resolve({ messages: [], end: 'expired' });
      await jest.advanceTimersByTimeAsync(0);
      expect(place.couldHaveServed(ANY_REQUIREMENTS)).toBe(true);
      const closed = place.close();
      expect(await lease).toEqual(NONE);
      pulls[1].resolve({ messages: [], end: 'aborted' });
      await closed;
    } finally {
      jest.useRealTimers();
    }
  });

  it('given a second request of a runner that is being served, then it gets nothing', async () => {
    const work = queue();
    const place = desk({ pull: work.pull });
    const first = place.wait(runner(1));
    expect(await place.wait(runner(1))).toEqual(NONE);
    work.put('job');
    expect(jobIn(await first)).toBe('job');
    await place.close();
  });
});
