import { describe, expect, it } from '@jest/globals';
import { eventually } from './eventually.ts';
import { undisturbed } from './undisturbed.ts';

/** A process that runs: its event loop turns several times. */
async function run(): Promise<void> {
  const until = performance.now() + 30;
  await eventually('some turns of the event loop', () => performance.now() > until);
}

/** Keeps this process from running, as a machine does that gives its time to others. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('undisturbed', () => {
  it('gives what the attempt found when the process ran all the time', async () => {
    let attempts = 0;
    const found = await undisturbed(60_000, async () => {
      await run();
      return (attempts += 1);
    });
    expect(found).toBe(1);
  });

  it('makes the attempt again when the process was kept from running meanwhile', async () => {
    let attempts = 0;
    const found = await undisturbed(2_000, async () => {
      attempts += 1;
      await run();
      if (attempts === 1) stall(2_100);
      await run();
      return attempts;
    });
    expect(found).toBeGreaterThan(1);
  });

  it('says so when every attempt was disturbed', async () => {
    const attempt = async (): Promise<void> => {
      await run();
      stall(60);
      await run();
    };
    await expect(undisturbed(50, attempt)).rejects.toThrow(/kept from running for over 50 ms in each of 5 attempts/);
  });
});
