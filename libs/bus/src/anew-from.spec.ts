import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anewFrom } from './anew-from.ts';

const REPORTS = { stream: 'REPORTS' } as const;
const at = (lastSequence: number, doubtedFrom: number | null = null) => ({ lastSequence, doubtedFrom });

describe('where a consumer begins anew', () => {
  it.each([
    ['stands within its stream', { delivered: 9, ackFloor: 9 }, at(9), null],
    ['stands beyond the end', { delivered: 9, ackFloor: 9 }, at(8), 1],
    ['did not reach what is in doubt', { delivered: 9, ackFloor: 9 }, at(20, 10), null],
    ['passed what is in doubt', { delivered: 12, ackFloor: 12 }, at(20, 10), 10],
    ['passed it with something earlier in hand', { delivered: 12, ackFloor: 4 }, at(20, 10), 5],
  ])('given one that %s', (_what, consumer, stream, from) => {
    expect(anewFrom(REPORTS, consumer, stream)).toBe(from);
  });

  it('given EVENTS, then it never does, as the same sequence is the same event', () => {
    expect(anewFrom({ stream: 'EVENTS' }, { delivered: 9, ackFloor: 9 }, at(3, 1))).toBeNull();
  });

  it('given a work queue, then it begins at its first, as servers allow nothing else', () => {
    expect(anewFrom({ stream: 'DISPATCH' }, { delivered: 9, ackFloor: 7 }, at(9, 5))).toBe(1);
  });

  it('skips nothing that is in doubt or not settled', () => {
    const sequence = fc.nat({ max: 50 });
    const property = fc.property(sequence, sequence, sequence, sequence, (delivered, settled, last, doubted) => {
      const consumer = { delivered, ackFloor: Math.min(settled, delivered) };
      const next = anewFrom(REPORTS, consumer, at(last, doubted + 1)) ?? delivered + 1;
      const bound = delivered > doubted ? Math.min(doubted, consumer.ackFloor) + 1 : delivered + 1;
      expect(next).toBeLessThanOrEqual(bound);
    });
    fc.assert(property);
  });
});
