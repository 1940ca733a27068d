import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KeptCache } from './cache-index.ts';
import { whichHaveNoRoom } from './fair-shares.ts';

interface Drawn {
  readonly repository: number;
  readonly sizeBytes: number;
  readonly usedAtMs: number;
  readonly used: boolean;
}

const drawn = fc.array(
  fc.record({
    repository: fc.integer({ min: 1, max: 4 }),
    sizeBytes: fc.integer({ min: 1, max: 50 }),
    usedAtMs: fc.nat(20),
    used: fc.boolean(),
  }),
  { minLength: 1, maxLength: 20 },
);

const cacheOf = ({ repository, sizeBytes, usedAtMs, used }: Drawn, at: number): KeptCache => ({
  repository: `/repository-${repository}`,
  identity: '1',
  tier: 'sandbox',
  domain: 'trusted',
  key: `${used ? 'used' : 'unused'}-${at}`,
  jobKey: 'unit',
  content: { home: [{ digest: `sha256:${'0'.repeat(64)}`, sizeBytes, contentBytes: 1 }], workspace: [] },
  savedAtMs: 0,
  usedAtMs,
});

const isUsed = ({ key }: KeptCache): boolean => key.startsWith('used');
const sizeOf = ({ content }: KeptCache): number => content.home.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
const bytesOf = (caches: readonly KeptCache[]): number => caches.reduce((sum, cache) => sum + sizeOf(cache), 0);

/** What stays and what goes, of what was drawn. */
function law(holds: (of: { stays: KeptCache[]; goes: KeptCache[]; bytesMax: number }) => boolean): void {
  fc.assert(
    fc.property(drawn, fc.integer({ min: 0, max: 300 }), (all, bytesMax) => {
      const caches = all.map(cacheOf);
      const goes = whichHaveNoRoom(caches, bytesMax, isUsed);
      return holds({ goes, stays: caches.filter((cache) => !goes.includes(cache)), bytesMax });
    }),
    { numRuns: 2_000 },
  );
}

describe('shares of what a machine keeps', () => {
  it('what stays has room, but for what is used', () => {
    law(({ stays, bytesMax }) => bytesOf(stays) <= bytesMax || stays.every(isUsed));
  });

  it('nothing goes that is used, and nothing for which there is room', () => {
    law(({ stays, goes, bytesMax }) => {
      const last = goes.at(-1);
      return !goes.some(isUsed) && (last === undefined || bytesOf(stays) + sizeOf(last) > bytesMax);
    });
  });

  it('a repository within its share loses nothing as long as another has more than its own that is not used', () => {
    law(({ stays, goes, bytesMax }) => {
      const repositories = [...Map.groupBy([...stays, ...goes], ({ repository }) => repository).values()];
      const share = bytesMax / repositories.length;
      const loses = repositories.some((of) => bytesOf(of) <= share && of.some((cache) => goes.includes(cache)));
      const over = [...Map.groupBy(stays, ({ repository }) => repository).values()].filter((of) => bytesOf(of) > share);
      return !loses || over.every((of) => of.every(isUsed));
    });
  });

  it('of one repository that goes first which was of no use for the longest time', () => {
    law(({ stays, goes }) =>
      goes.every((gone) =>
        stays.every((left) => left.repository !== gone.repository || isUsed(left) || left.usedAtMs >= gone.usedAtMs),
      ),
    );
  });

  it('given a repository that has nearly all, then what is older of a small one stays', () => {
    const [small, old, young] = [
      cacheOf({ repository: 1, sizeBytes: 10, usedAtMs: 0, used: false }, 0),
      cacheOf({ repository: 2, sizeBytes: 50, usedAtMs: 1, used: false }, 1),
      cacheOf({ repository: 2, sizeBytes: 50, usedAtMs: 2, used: false }, 2),
    ];
    expect(whichHaveNoRoom([small, old, young], 100, isUsed)).toEqual([old]);
  });
});
