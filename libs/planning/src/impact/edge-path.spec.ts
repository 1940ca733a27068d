import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { UnitEdge } from '../model.ts';
import { endsOf, FIRST_MAX, NO_EDGES, withEdge } from './edge-path.ts';

describe('the ends of a path', () => {
  it('law: are the path itself, or as many edges of each end as are asked for', () => {
    fc.assert(
      fc.property(fc.nat({ max: 3 * FIRST_MAX }), fc.integer({ min: 1, max: FIRST_MAX }), (length, count) => {
        const edges = Array.from({ length }, (_, at): UnitEdge => ({
          from: `u${at + 1}`,
          to: `u${at}`,
          kind: 'production',
          evidence: '',
        }));
        const ends = endsOf(edges.reduce(withEdge, NO_EDGES), count);
        expect(ends).toEqual(length <= 2 * count ? edges : [...edges.slice(0, count), ...edges.slice(-count)]);
      }),
      { numRuns: 50 },
    );
  });
});
