import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TokenBuckets } from './token-bucket.ts';

describe('token buckets', () => {
  it('given a burst, when it is over what may come at once, then the rest has to wait its time', () => {
    let nowMs = 0;
    const buckets = new TokenBuckets({ perSecond: 2, atOnce: 3 }, () => nowMs);
    expect([1, 2, 3, 4].map(() => buckets.take('a'))).toEqual([0, 0, 0, 500]);
    nowMs = 500;
    expect([buckets.take('a'), buckets.take('a')]).toEqual([0, 500]);
  });

  it('sources do not share', () => {
    const buckets = new TokenBuckets({ perSecond: 1, atOnce: 1 }, () => 0);
    expect([buckets.take('a'), buckets.take('b'), buckets.take('a')]).toEqual([0, 0, 1_000]);
  });

  it('given a clock that goes back, then nothing is gained or lost by it', () => {
    let nowMs = 1_000;
    const buckets = new TokenBuckets({ perSecond: 1, atOnce: 1 }, () => nowMs);
    buckets.take('a');
    nowMs = 0;
    expect(buckets.take('a')).toBe(1_000);
  });

  it('never lets through more than the burst and the rate together', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 400 }), { maxLength: 200 }), (steps) => {
        let nowMs = 0;
        const buckets = new TokenBuckets({ perSecond: 10, atOnce: 5 }, () => nowMs);
        let taken = 0;
        for (const step of steps) {
          nowMs += step;
          if (buckets.take('a') === 0) taken += 1;
        }
        return taken <= 5 + (nowMs * 10) / 1_000;
      }),
    );
  });

  it('given more sources than are remembered, then the longest silent one is forgotten', () => {
    const buckets = new TokenBuckets({ perSecond: 1, atOnce: 1 }, () => 0);
    buckets.take('first');
    for (let at = 0; at < 10_000; at += 1) buckets.take(`source-${at}`);
    expect([buckets.take('first'), buckets.take('source-9999')]).toEqual([0, 1_000]);
  });
});
