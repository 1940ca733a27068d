import { describe, expect, it } from '@jest/globals';
import { initialRun } from '@delta-ci/domain';
import { runIdOf } from '../testing/run-story.fixture.ts';
import { AggregateCache } from './aggregate-cache.ts';

describe('the cache of folded runs', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(runIdOf) as [string, string, string];
  const folded = (version: number) => ({ version, aggregate: initialRun });

  it('lets the least recently used run go when the events become too many', () => {
    const cache = new AggregateCache(10);
    cache.set(a, folded(4));
    cache.set(b, folded(4));
    cache.get(a);
    cache.set(c, folded(4));

    expect([a, b, c].map((runId) => cache.get(runId)?.version)).toEqual([4, undefined, 4]);
  });

  it('counts a run by its latest version alone', () => {
    const cache = new AggregateCache(10);
    cache.set(a, folded(4));
    for (const version of [1, 2, 3, 4, 5, 6]) cache.set(b, folded(version));

    expect([a, b].map((runId) => cache.get(runId)?.version)).toEqual([4, 6]);
  });

  it('keeps the newest run however large it is', () => {
    const cache = new AggregateCache(10);
    cache.set(a, folded(4));
    cache.set(b, folded(50));

    expect([a, b].map((runId) => cache.get(runId)?.version)).toEqual([undefined, 50]);
  });
});
