import { describe, expect, it } from '@jest/globals';
import type { StoreOptions } from '@delta-ci/bus';
import type { DispatchMessage, RunnerCapabilities } from '@delta-ci/contracts';
import type { QueueLook } from '../leases/pool-desk.ts';
import { redriveDispatch } from './redrive-dispatch.ts';

const REDRIVE_AFTER_MS = 30_000;
const QUEUED_AT_MS = 1_000 * REDRIVE_AFTER_MS;
const LINUX: RunnerCapabilities = { os: 'linux', arch: 'x64', isolation: ['sandbox'], toolchains: [], labels: [] };
const EMPTY: QueueLook = { capabilities: LINUX, upToMs: Infinity };

const waiting = (jobKey: string, os: 'linux' | 'darwin', queuedAtMs = QUEUED_AT_MS): DispatchMessage => ({
  runId: `run_${'1'.repeat(32)}`,
  jobKey,
  attempt: 1,
  pool: 'default',
  priority: 0,
  requirements: { pool: 'default', os, isolation: 'sandbox', toolchains: [], labels: [] },
  queuedAtMs,
  traceparent: null,
});

interface Scene {
  /** What is there to be taken at each sweep, the last again and again. */
  readonly looks?: readonly QueueLook[] | readonly (readonly QueueLook[])[];
  /** When each sweep is, by the clock of the process. */
  readonly timesMs?: readonly number[];
  /** What waits, page by page as the log hands it out. */
  readonly pages?: readonly (readonly DispatchMessage[])[];
  readonly limit?: number;
}

/** @returns the ids of what was put before the pool, and after which attempt each page was asked for */
async function redriven(scene: Scene): Promise<{ ids: string[]; readAfter: unknown[] }> {
  const {
    looks = [EMPTY],
    timesMs = [QUEUED_AT_MS + REDRIVE_AFTER_MS],
    pages = [[waiting('build', 'linux'), waiting('sign', 'darwin')]],
    limit = 10,
  } = scene;
  const [ids, readAfter]: [string[], unknown[]] = [[], []];
  const store = async (_message: unknown, { messageId = '' }: StoreOptions = {}) => {
    ids.push(messageId.replace(/^dispatch-run_1+\./, ''));
    return Promise.resolve({ outcome: 'stored', sequence: ids.length });
  };
  const query = async ({ values }: { values: readonly unknown[] }) => {
    readAfter.push(values.at(-2));
    return Promise.resolve({ rows: pages[(readAfter.length - 1) % pages.length] });
  };
  const eachSweep = looks.every((one) => 'upToMs' in one) ? [looks] : looks;
  let [nowMs, sweep] = [0, -1];
  const run = redriveDispatch({
    log: { pool: { query } } as never,
    bus: { store } as never,
    desks: new Map([['default', { takeLooks: () => eachSweep[Math.min(sweep, eachSweep.length - 1)] ?? [] }]]),
    redriveAfterMs: REDRIVE_AFTER_MS,
    nowMs: () => nowMs,
  });
  for (nowMs of timesMs) {
    sweep += 1;
    await run(limit);
  }
  return { ids, readAfter };
}

describe('the sweep for dispatches that got lost', () => {
  it('given a runner for which the queue had nothing, then what it could do is put before its pool again, and nothing else', async () => {
    expect((await redriven({})).ids).toEqual(['build.1-1001']);
    expect(await redriven({ looks: [] })).toEqual({ ids: [], readAfter: [] });
  });

  it('given runners that always have something to do, then what was queued well before it is put before its pool again', async () => {
    const upTo = (upToMs: number): Scene => ({ looks: [{ capabilities: LINUX, upToMs }] });
    expect((await redriven(upTo(QUEUED_AT_MS + REDRIVE_AFTER_MS))).ids).toEqual(['build.1-1001']);
    expect((await redriven(upTo(QUEUED_AT_MS + REDRIVE_AFTER_MS - 1))).ids).toEqual([]);
  });

  it('given sweeps within an interval and after it, then there is one message for each interval', async () => {
    const begunMs = QUEUED_AT_MS + REDRIVE_AFTER_MS;
    const { ids } = await redriven({ timesMs: [begunMs, begunMs + REDRIVE_AFTER_MS - 1, begunMs + REDRIVE_AFTER_MS] });
    expect(ids).toEqual(['build.1-1001', 'build.1-1001', 'build.1-1002']);
  });

  it('given a clock behind the one that said when it was queued, then its message is not the first one repeated', async () => {
    const { ids } = await redriven({ timesMs: [QUEUED_AT_MS - REDRIVE_AFTER_MS / 2] });
    expect(ids).not.toContain('build.1-0');
  });

  it('given more that waits for runners nobody has than a page holds, then it is read on, and what a runner could do is found', async () => {
    const misfits = ['sign', 'notarize'].map((key) => waiting(key, 'darwin'));
    const { ids, readAfter } = await redriven({ pages: [misfits, [waiting('build', 'linux')]], limit: 2 });
    expect(ids).toEqual(['build.1-1001']);
    expect(readAfter).toEqual([null, 'notarize']);
  });

  it('given more that is lost than one sweep puts before its pool, then the next one goes on, although nobody looked again', async () => {
    const lost = ['one', 'two', 'three'].map((key) => waiting(key, 'linux'));
    const everyTime = Array.from({ length: 2 }, () => QUEUED_AT_MS + REDRIVE_AFTER_MS);
    const { ids, readAfter } = await redriven({
      pages: [lost.slice(0, 2), lost.slice(2), lost.slice(2)],
      limit: 2,
      looks: [[EMPTY], []],
      timesMs: everyTime,
    });
    expect(ids).toEqual(['one.1-1001', 'two.1-1001', 'three.1-1001']);
    expect(readAfter).toEqual([null, 'two', 'two']);
  });

  it('given more than one sweep reads, then the next goes on there, and the one after the last page begins anew', async () => {
    const pages = Array.from({ length: 12 }, (_, page) => [waiting(`sign-${page}`, 'darwin')]);
    const everyTime = Array.from({ length: 3 }, () => QUEUED_AT_MS + REDRIVE_AFTER_MS);
    const { ids, readAfter } = await redriven({ pages: [...pages, []], limit: 1, timesMs: everyTime });
    expect(ids).toEqual([]);
    expect(readAfter.slice(9, 15)).toEqual(['sign-8', 'sign-9', 'sign-10', 'sign-11', null, 'sign-0']);
  });
});
