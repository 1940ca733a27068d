import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { refuse, type DispatchMessage } from '@delta-ci/contracts';
import type { PullDispatchOutcome, PulledDispatch } from '@delta-ci/bus';
import { aGrantedLease } from '../../../../test/support/made-up/granted-lease.ts';
import { PoolDesk, type DeskPorts, type GrantOutcome, type WaitEnd, type WaitingRunner } from './pool-desk.ts';

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
  const put = (
    jobKey: string,
    over: Partial<DispatchMessage['requirements']> = {},
    { priority = 0, queuedAtMs = 0 } = {},
  ): void => {
    const requirements = { ...ANY_REQUIREMENTS, ...over };
    const dispatch = {
      runId: RUN,
      jobKey,
      attempt: 1,
      pool: 'default',
      priority,
      requirements,
      queuedAtMs,
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
    const messages = waiting.splice(0, max);
    return { messages, end: messages.length === max ? 'filled' : 'expired', wasDrained: messages.length < max };
  };
  return { put, pull, fate };
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
  lease: aGrantedLease(work.dispatch.jobKey, { runId: RUN }),
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
  afterEach(() => void jest.useRealTimers());

  it('given waiting runners and work, then each attempt goes to one runner and is acknowledged after its grant', async () => {
    const work = queue();
    const place = desk({ pull: work.pull });
    const leases = [place.wait(runner(1)), place.wait(runner(2))];
    work.put('low');
    work.put('high', {}, { priority: 5 });
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

  it.each([
    ['time is up', async () => jest.advanceTimersByTimeAsync(runner(1).waitMs)],
    ['request is given up', async (place: PoolDesk) => place.wait({ ...runner(1), waitMs: 0 })],
  ])(
    'given a runner whose %s while its grant is decided, when the work waits no more, then it goes home and may come again',
    async (_why, end) => {
      jest.useFakeTimers();
      const work = queue();
      const decided = Promise.withResolvers<GrantOutcome>();
      const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
      const grant: DeskPorts['grant'] = async (_runner, offered) => {
        ask();
        return offered.dispatch.jobKey === 'gone' ? decided.promise : Promise.resolve(leaseFor(offered));
      };
      const place = desk({ pull: work.pull, grant });
      const first = place.wait(runner(1));
      work.put('gone');
      await asked;
      await end(place);
      decided.resolve({ kind: 'gone' });
      expect(await first).toEqual(NONE);
      const second = place.wait(runner(1));
      work.put('fresh');
      expect(jobIn(await second)).toBe('fresh');
      await place.close();
    },
  );

  it('given a runner that asks again for the same lease, then both requests end without work, and its seat is free', async () => {
    const work = queue();
    const place = desk({ pull: work.pull });
    const first = place.wait(runner(1));
    let ended = false;
    void first.finally(() => (ended = true));
    expect(await place.wait({ ...runner(1), leaseHash: '9'.repeat(64), waitMs: 0 })).toEqual(NONE);
    expect(ended).toBe(false);
    expect(await place.wait({ ...runner(1), waitMs: 0 })).toEqual(NONE);
    expect(await first).toEqual(NONE);
    work.put('job');
    await place.close();
    expect(work.fate).toEqual(['nak job 0']);
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

  it('given a runner for which the queue had nothing, then that is told once', async () => {
    const work = queue();
    const { promise: askedAgain, resolve: asksAgain } = Promise.withResolvers<void>();
    let pulls = 0;
    const pull: DeskPorts['pull'] = async (max) => {
      pulls += 1;
      if (pulls < 3) return { messages: [], end: 'expired', wasDrained: true };
      asksAgain();
      return work.pull(max);
    };
    const place = desk({ pull });
    const lease = place.wait(runner(1));
    expect(place.takeLooks()).toEqual([]);
    await askedAgain;
    expect(place.takeLooks()).toEqual([{ capabilities: runner(1).capabilities, upToMs: Infinity }]);
    expect(place.takeLooks()).toEqual([]);
    work.put('job', {}, { queuedAtMs: 7_000 });
    await lease;
    expect(place.takeLooks()).toEqual([{ capabilities: runner(1).capabilities, upToMs: 7_000 }]);
    await place.close();
  });

  it('given attempts that a runner was offered, then the queue was looked through for it up to the youngest', async () => {
    const work = queue();
    const place = desk({ pull: work.pull });
    for (const queuedAtMs of [9_000, 2_000]) {
      work.put('job', {}, { queuedAtMs });
      await place.wait(runner(1));
    }
    expect(place.takeLooks()).toEqual([{ capabilities: runner(1).capabilities, upToMs: 9_000 }]);
    await place.close();
  });

  it('given a runner that can do none of what it was offered, and a queue that has more, then it has seen no further', async () => {
    const work = queue();
    const { promise: askedAgain, resolve: asksAgain } = Promise.withResolvers<void>();
    const pull: DeskPorts['pull'] = async (max) => {
      if (work.fate.length > 0) asksAgain();
      return work.pull(max);
    };
    const place = desk({ pull });
    work.put('misfit', { isolation: 'sandbox' }, { queuedAtMs: 4_000 });
    const lease = place.wait(runner(1, 'process'));
    await askedAgain;
    expect(place.takeLooks()).toEqual([{ capabilities: runner(1, 'process').capabilities, upToMs: 4_000 }]);
    work.put('fit', { isolation: 'process' }, { queuedAtMs: 5_000 });
    expect(jobIn(await lease)).toBe('fit');
    await place.close();
  });

  it('given a runner whose request ends before the pull does, then the queue had nothing for it all the same', async () => {
    const pulled = Promise.withResolvers<PullDispatchOutcome>();
    const place = desk({ pull: async () => pulled.promise });
    expect(await place.wait({ ...runner(1), waitMs: 1 })).toEqual(NONE);
    pulled.resolve({ messages: [], end: 'expired', wasDrained: true });
    await place.close();
    expect(place.takeLooks()).toEqual([{ capabilities: runner(1).capabilities, upToMs: Infinity }]);
  });

  it('given a queue that could not be asked, then nothing is known of it', async () => {
    const pulled = Promise.withResolvers<PullDispatchOutcome>();
    const place = desk({ pull: async () => pulled.promise });
    expect(await place.wait({ ...runner(1), waitMs: 1 })).toEqual(NONE);
    pulled.resolve({ messages: [], end: 'unreachable', wasDrained: false });
    await place.close();
    expect(place.takeLooks()).toEqual([]);
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
