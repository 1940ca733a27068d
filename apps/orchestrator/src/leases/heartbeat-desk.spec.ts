import { describe, expect, it } from '@jest/globals';
import { HeartbeatDesk } from './heartbeat-desk.ts';

describe('a heartbeat desk', () => {
  it('given heartbeats during a renewal, then they travel together in the next one, each with its own answer', async () => {
    const batches: number[][] = [];
    const desk = new HeartbeatDesk(async (beats: readonly number[]) => {
      batches.push([...beats]);
      return Promise.resolve(beats.map((beat) => beat * 10));
    });
    expect(await Promise.all([1, 2, 3, 4].map(async (beat) => desk.beat(beat)))).toEqual([10, 20, 30, 40]);
    expect(batches).toEqual([[1], [2, 3, 4]]);
  });

  it('given more than a batch holds, then the rest follows', async () => {
    const sizes: number[] = [];
    const desk = new HeartbeatDesk(async (beats: readonly number[]) => {
      sizes.push(beats.length);
      return Promise.resolve(beats);
    }, 3);
    await Promise.all(Array.from({ length: 8 }, async (_, beat) => desk.beat(beat)));
    expect(Math.max(...sizes)).toBe(3);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(8);
  });

  it('given a renewal that fails, then its senders are told and the next one works', async () => {
    let broken = true;
    const desk = new HeartbeatDesk(async (beats: readonly number[]) => {
      if (broken) throw new Error('database away');
      return Promise.resolve(beats);
    });
    await expect(desk.beat(1)).rejects.toThrow('database away');
    broken = false;
    expect(await desk.beat(2)).toBe(2);
  });
});
