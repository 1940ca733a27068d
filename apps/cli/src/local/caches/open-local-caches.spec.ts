import { describe, expect, it } from '@jest/globals';
import { recorded } from '../../recorded-surroundings.fixture.ts';
import { localCacheBounds, localCachesDirectory } from './open-local-caches.ts';

const DAY_MS = 86_400_000;
const surroundingsWith = (environment: Readonly<Record<string, string>>) => recorded('/', environment).surroundings;
const boundsOf = (environment: Readonly<Record<string, string>>) => localCacheBounds(surroundingsWith(environment));

describe('what this machine keeps in caches', () => {
  it.each([
    ['no variable', {}, { keptMs: 30 * DAY_MS, bytesMax: 10 * 1024 ** 3 }],
    ['an empty one', { DELTA_CACHES_KEPT_DAYS: '' }, { keptMs: 30 * DAY_MS, bytesMax: 10 * 1024 ** 3 }],
    ['both', { DELTA_CACHES_KEPT_DAYS: '7', DELTA_CACHES_KEPT_BYTES: '0' }, { keptMs: 7 * DAY_MS, bytesMax: 0 }],
  ])('given %s, then so much, for so long', (_, environment, expected) => {
    expect(boundsOf(environment)).toEqual(expected);
  });

  it.each([
    ['DELTA_CACHES_KEPT_DAYS', ' '],
    ['DELTA_CACHES_KEPT_DAYS', '1e1'],
    ['DELTA_CACHES_KEPT_DAYS', '-1'],
    ['DELTA_CACHES_KEPT_DAYS', '366'],
    ['DELTA_CACHES_KEPT_BYTES', '0x10'],
    ['DELTA_CACHES_KEPT_BYTES', '10 GiB'],
  ])('given %s="%s", then it is told what is wrong', (name, value) => {
    expect(() => boundsOf({ [name]: value })).toThrow(`${name} is a whole number from 0 to `);
  });

  it('lies in the cache directory of its person', () => {
    expect(localCachesDirectory(surroundingsWith({ DELTA_CACHE_HOME: '/cache' }))).toBe('/cache/local/caches/v1');
  });
});
