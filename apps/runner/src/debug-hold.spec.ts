import { describe, expect, it } from '@jest/globals';
import { refuse, type DebugEnd, type StepEnding } from '@delta-ci/contracts';
import type { ExecutorTier, HeldJob, StepOutcome } from '@delta-ci/sandbox';
import { whenLookedInto } from './debug-hold.ts';
import { Refused } from './gateway-client.ts';

const HELD_MS = 900_000;
const DEBUG = { heldMs: HELD_MS, idleMs: 300_000, withheld: [] };

interface Terms {
  readonly tier?: ExecutorTier;
  /** What is left of the job's time. */
  readonly leftMs?: number;
  readonly refused?: boolean;
  /** How the shell ends; left out, it does not begin. */
  readonly endedBy?: StepEnding;
}

/** What comes of a step that failed where somebody wants to look: times of shells, what the log says, and the report. */
async function held({ tier = 'sandbox', leftMs = 2 * HELD_MS, refused = false, endedBy }: Terms) {
  const shells: number[] = [];
  const idle: (number | null)[] = [];
  let asked = 0;
  let said = '';
  let end: DebugEnd | null = null;
  const log = {
    bytes: 0,
    hurry: () => undefined,
    write: async (chunk: Uint8Array) => Promise.resolve(void (said += Buffer.from(chunk).toString('utf8'))),
    flush: async () => Promise.resolve(),
    say: async (text: string) => Promise.resolve(void (said += `[delta] ${text}\n`)),
  };
  const { code, message, details } = refuse('forbidden', 'nobody asked to look into this job');
  const gateway = {
    openDebug: async () => {
      asked += 1;
      return refused ? Promise.reject(new Refused(code, message, details)) : Promise.resolve();
    },
    followDebug: async () => Promise.reject(new Refused('stale_lease', 'over', {})),
  };
  const keeper = { signal: new AbortController().signal, report: () => undefined };
  const timeUpAt = performance.now() + leftMs;
  const order = whenLookedInto(DEBUG, { gateway, log, keeper, tier, timeUpAt }, (told) => (end = told));
  const openShell: HeldJob['openShell'] = async ({ timeoutMs, idleTimeoutMs, output }) => {
    shells.push(timeoutMs);
    idle.push(idleTimeoutMs);
    if (endedBy !== undefined) {
      await output(Buffer.from('$ '));
      return { kind: 'finished', result: { ...RESULT, endedBy } } satisfies StepOutcome;
    }
    const why = { code: 'step_failed_to_start', message: 'there is no shell in these specs' };
    return Promise.resolve({ kind: 'fault', refusal: why } as never);
  };
  await order.whenFailed?.({ openShell } as HeldJob);
  return { shells, idle, asked, said, end };
}

const RESULT = {
  exitCode: 0,
  signal: null,
  wallMs: 1,
  cpuMs: null,
  memoryPeakBytes: null,
  oomKilled: null,
  io: { readBytes: null, writtenBytes: null, reads: null, writes: null },
  outputBytes: 2,
  outputTruncated: false,
};

const NOTHING = { openMs: 0, typedBytes: 0, shownBytes: 0 };

describe('the sandbox of a step that failed, held for whoever looks', () => {
  it('has a shell for as long as it was asked for, where the job has the time', async () => {
    const { shells, said } = await held({});
    expect(shells).toEqual([expect.any(Number)]);
    expect(shells[0]).toBeGreaterThan(HELD_MS / 2);
    expect(shells[0]).toBeLessThanOrEqual(HELD_MS);
    expect(said).toContain('a shell is open for 15 minutes');
  });

  it('has one no longer than the job has time, so that its end is reported before the lease is taken', async () => {
    const { shells, said } = await held({ leftMs: 590_000 });
    expect(shells[0]).toBeLessThanOrEqual(590_000);
    expect(said).toContain('a shell is open for 9 minutes');
  });

  it.each<[StepEnding, DebugEnd['how'], string]>([
    ['exit', 'left', 'it was left'],
    ['signal', 'left', 'it was left'],
    ['idle_timeout', 'idle', 'nothing was typed or shown for too long'],
    ['timeout', 'time_over', 'its time is up'],
    ['canceled', 'canceled', 'the run was canceled'],
    ['out_of_memory', 'failed', 'it reached a limit of the job'],
    ['disk_full', 'failed', 'it reached a limit of the job'],
  ])('given a shell that ends by %s, then the report says %s, and the log %j', async (endedBy, how, words) => {
    const { said, end, idle } = await held({ endedBy });
    expect(end).toMatchObject({ how, typedBytes: 0 });
    expect([idle, said]).toEqual([[300_000], expect.stringContaining(`[delta] the shell is over: ${words}\n`)]);
  });

  it('has none when nothing is left of the time: log and report say so, and nobody is told of one', async () => {
    const { shells, asked, said, end } = await held({ leftMs: 0 });
    expect([shells, asked, end]).toEqual([[], 0, { how: 'time_over', ...NOTHING }]);
    expect(said).toBe("[delta] no shell: of the job's time nothing is left\n");
  });

  it("has none on tier process, whatever was planned: it would be beside the runner's own secrets", async () => {
    const { shells, asked, said, end } = await held({ tier: 'process' });
    expect([shells, asked, end]).toEqual([[], 0, { how: 'refused', ...NOTHING }]);
    expect(said).toBe("[delta] no shell: tier process keeps nobody from what is the runner's own\n");
  });

  it('has none where the control plane refuses it', async () => {
    const { shells, said, end } = await held({ refused: true });
    expect([shells, end]).toEqual([[], { how: 'refused', ...NOTHING }]);
    expect(said).toContain('no shell: forbidden: nobody asked to look into this job');
  });
});
