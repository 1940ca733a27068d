import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { byteRange } from './byte-range.ts';

const whole = { from: 0, to: 10, partial: false };

describe('a range of ten bytes', () => {
  it.each([
    ['bytes=0-3', { from: 0, to: 4, partial: true }],
    ['bytes=4-', { from: 4, to: 10, partial: true }],
    ['bytes=-3', { from: 7, to: 10, partial: true }],
    ['bytes=-30', { from: 0, to: 10, partial: true }],
    ['bytes=8-99', { from: 8, to: 10, partial: true }],
    ['bytes=10-', null],
    ['bytes=-0', null],
    [undefined, whole],
    ['bytes=-', whole],
    ['bytes=3-1', whole],
    ['bytes=0-1,4-5', whole],
    ['lines=0-1', whole],
  ])('%s', (header, expected) => {
    expect(byteRange(header, 10)).toEqual(expected);
  });

  it('is always inside, and never empty when it is a part', () => {
    fc.assert(
      fc.property(fc.nat(), fc.option(fc.nat()), fc.nat(), (first, last, size) => {
        const range = byteRange(`bytes=${first}-${last ?? ''}`, size);
        if (range === null) return first >= size;
        return range.from >= 0 && range.to <= size && (!range.partial || range.from < range.to);
      }),
    );
  });
});
