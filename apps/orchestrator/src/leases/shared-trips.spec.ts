import { describe, expect, it } from '@jest/globals';
import { SharedTrips } from './shared-trips.ts';

describe('shared trips', () => {
  it('given questions of one turn, and others during their trip, then each group travels together', async () => {
    const batches: number[][] = [];
    const late: Promise<number>[] = [];
    const trips: SharedTrips<number, number> = new SharedTrips(async (questions: readonly number[]) => {
      batches.push([...questions]);
      if (batches.length === 1) late.push(trips.ask(5), trips.ask(6));
      return Promise.resolve(questions.map((question) => question * 10));
    });
    expect(await Promise.all([1, 2, 3, 4].map(async (question) => trips.ask(question)))).toEqual([10, 20, 30, 40]);
    expect(await Promise.all(late)).toEqual([50, 60]);
    expect(batches).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
  });

  it('given more than a batch holds, then the rest follows', async () => {
    const sizes: number[] = [];
    const trips = new SharedTrips(async (questions: readonly number[]) => {
      sizes.push(questions.length);
      return Promise.resolve(questions);
    }, 3);
    await Promise.all(Array.from({ length: 8 }, async (_, question) => trips.ask(question)));
    expect(sizes).toEqual([3, 3, 2]);
  });

  it('given a trip that fails, then those who asked are told and the next one works', async () => {
    let broken = true;
    const trips = new SharedTrips(async (questions: readonly number[]) => {
      if (broken) throw new Error('database away');
      return Promise.resolve(questions);
    });
    await expect(trips.ask(1)).rejects.toThrow('database away');
    broken = false;
    expect(await trips.ask(2)).toBe(2);
  });
});
