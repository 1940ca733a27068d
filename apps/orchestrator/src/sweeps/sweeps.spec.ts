import { describe, expect, it } from '@jest/globals';
import type { StoreOptions } from '@delta-ci/bus';
import type { DispatchMessage, RunnerCapabilities } from '@delta-ci/contracts';
import { sweeps } from './sweeps.ts';

const REDRIVE_AFTER_MS = 30_000;
const QUEUED_AT_MS = 1_000 * REDRIVE_AFTER_MS;
const LINUX: RunnerCapabilities = { os: 'linux', arch: 'x64', isolation: ['sandbox'], toolchains: [], labels: [] };

const waiting = (jobKey: string, os: 'linux' | 'darwin'): DispatchMessage => ({
  runId: `run_${'1'.repeat(32)}`,
  jobKey,
  attempt: 1,
  pool: 'default',
  priority: 0,
  requirements: { pool: 'default', os, isolation: 'sandbox', toolchains: [], labels: [] },
  queuedAtMs: QUEUED_AT_MS,
  traceparent: null,
});

/** Sweeps once at each of these times, by the clock of the process. @returns the ids of what was put before the pool */
async function redriven(runners: readonly RunnerCapabilities[], timesMs: readonly number[]): Promise<string[]> {
  const stored: string[] = [];
  const rows = [waiting('build', 'linux'), waiting('sign', 'darwin')];
  const store = async (_message: unknown, { messageId = '' }: StoreOptions = {}) => {
    stored.push(messageId.replace(/^dispatch-run_1+/, ''));
    return Promise.resolve({ outcome: 'stored', sequence: stored.length });
  };
  let nowMs = 0;
  const found = sweeps({
    log: { pool: { query: async () => Promise.resolve({ rows }) } } as never,
    bus: { store } as never,
    ledger: {} as never,
    desks: new Map([['default', { takePassedOver: () => runners }]]),
    redriveAfterMs: REDRIVE_AFTER_MS,
    nowMs: () => nowMs,
  });
  for (nowMs of timesMs) await found.find(({ name }) => name === 'redrive-dispatch')?.run(10);
  return stored;
}

describe('the sweep for dispatches that got lost', () => {
  it('given a runner that was passed over, then what it could do is put before its pool again, and nothing else', async () => {
    expect(await redriven([LINUX], [QUEUED_AT_MS + REDRIVE_AFTER_MS])).toEqual(['.build.1-1001']);
    expect(await redriven([], [QUEUED_AT_MS + REDRIVE_AFTER_MS])).toEqual([]);
  });

  it('given sweeps within an interval and after it, then there is one message for each interval', async () => {
    const begunMs = QUEUED_AT_MS + REDRIVE_AFTER_MS;
    const ids = await redriven([LINUX], [begunMs, begunMs + REDRIVE_AFTER_MS - 1, begunMs + REDRIVE_AFTER_MS]);
    expect(ids).toEqual(['.build.1-1001', '.build.1-1001', '.build.1-1002']);
  });

  it('given a clock behind the one that said when it was queued, then its message is not the first one repeated', async () => {
    const [id] = await redriven([LINUX], [QUEUED_AT_MS - REDRIVE_AFTER_MS / 2]);
    expect(id).not.toBe('.build.1-0');
  });
});
