import { describe, expect, it } from '@jest/globals';
import type { SavedCache } from '@delta-ci/contracts';
import { LOOKED_FOR, removalOf } from './removal-portions.ts';

const found = (count: number): SavedCache[] =>
  Array.from({ length: count }, (_, at) => ({
    runId: `run_${'1'.repeat(32)}`,
    jobKey: 'unit',
    attempt: 1,
    key: `key-${at}`,
    repository: 'github/demo/shop',
    domain: 'trusted',
    digest: `sha256:${'d'.repeat(64)}`,
    sizeBytes: 1,
    contentBytes: 1,
    savedAtMs: 0,
  }));

describe('what one request removes', () => {
  it('given as much as it may, then all of it goes in records of a hundred, and nothing more is told of', () => {
    const all = found(10_000);
    const { portions, more } = removalOf(all);
    expect([portions.length, portions.every(({ length }) => length === 100), more]).toEqual([100, true, false]);
    expect(portions.flat()).toEqual(all);
  });

  it('given more than it may, then the first of it go, and it is told that there is more', () => {
    const all = found(LOOKED_FOR);
    const { portions, more } = removalOf(all);
    expect([portions.flat(), more]).toEqual([all.slice(0, 10_000), true]);
  });

  it('given less than a record, then it is one', () => {
    expect(removalOf(found(3))).toEqual({ portions: [found(3)], more: false });
  });
});
