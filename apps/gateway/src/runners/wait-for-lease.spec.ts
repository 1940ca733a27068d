import { describe, expect, it } from '@jest/globals';
import type { CommandClient } from '@delta-ci/bus';
import { waitForLease } from './wait-for-lease.ts';

const RUNNER = {
  kind: 'runner',
  runnerId: `rnr_${'1'.repeat(32)}`,
  pool: 'default',
  registeredAtMs: 0,
} as const;

describe('a wait that is sent away at once, as by an orchestrator that stops', () => {
  it('asks again now and then, and not all the time', async () => {
    let asked = 0;
    const send = async (): Promise<unknown> => {
      asked += 1;
      return Promise.resolve({ ok: true, result: { lease: null }, position: 0 });
    };
    const commands = { send } as Pick<CommandClient, 'send'>;
    const waited = await waitForLease(commands, RUNNER, 600, new AbortController().signal);
    expect(waited).toEqual({ ok: true, held: null });
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(6);
  });

  it('ends when the runner goes, without another request but the one that says so', async () => {
    const gone = new AbortController();
    let asked = 0;
    const send = async (): Promise<unknown> => {
      asked += 1;
      setImmediate(() => gone.abort());
      return Promise.resolve({ ok: true, result: { lease: null }, position: 0 });
    };
    const commands = { send } as Pick<CommandClient, 'send'>;
    expect(await waitForLease(commands, RUNNER, 600_000, gone.signal)).toEqual({ ok: true, held: null });
    expect(asked).toBe(1);
  });
});
