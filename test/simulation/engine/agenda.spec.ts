import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Agenda } from './agenda.ts';

describe('an agenda', () => {
  it('is kept in the order of time, and of making where the time is the same', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (times) => {
        const agenda = new Agenda();
        times.forEach((atMs, index) => agenda.add(atMs, String(index), () => undefined));
        const kept = times.map(() => agenda.next());
        const expected = times.map((atMs, index) => ({ atMs, what: String(index) })).sort((a, b) => a.atMs - b.atMs);
        expect(kept.map((one) => ({ atMs: one?.atMs, what: one?.what }))).toEqual(expected);
        expect(agenda.next()).toBeUndefined();
      }),
    );
  });
});
