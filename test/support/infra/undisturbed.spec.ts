import { describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { undisturbed } from './undisturbed.ts';

/** Keeps this process from running, as a machine does that gives its time to others. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('undisturbed', () => {
  it('gives what the attempt found when the process ran all the time', async () => {
    let attempts = 0;
    const found = await undisturbed(60_000, async () => {
      await pause(30);
      return (attempts += 1);
    });
    expect(found).toBe(1);
  });

  it('makes the attempt again when the process was kept from running meanwhile', async () => {
    let attempts = 0;
    const found = await undisturbed(2_000, async () => {
      attempts += 1;
      await pause(30);
      if (attempts === 1) stall(2_100);
      await pause(30);
      return attempts;
    });
    expect(found).toBeGreaterThan(1);
  });

  it('says so when every attempt was disturbed', async () => {
    const attempt = async (): Promise<void> => {
      await pause(30);
      stall(60);
      await pause(30);
    };
    await expect(undisturbed(50, attempt)).rejects.toThrow(/kept from running for over 50 ms in each of 5 attempts/);
  });
});
