import { describe, expect, it } from '@jest/globals';
import { cacheCandidates } from './cache-dir.mjs';

const linux = { env: {}, home: '/home/ada', platform: 'linux', repoRoot: '/src/delta' } as const;

describe('where fetched programs are kept', () => {
  it('is the user’s cache, or the clone when there is no home to write to', () => {
    expect(cacheCandidates(linux)).toEqual(['/home/ada/.cache/delta-ci', '/src/delta/.delta/cache']);
  });

  it('follows the platform and XDG', () => {
    expect(cacheCandidates({ ...linux, platform: 'darwin' })[0]).toBe('/home/ada/Library/Caches/delta-ci');
    expect(cacheCandidates({ ...linux, env: { XDG_CACHE_HOME: '/big/cache' } })[0]).toBe('/big/cache/delta-ci');
    expect(cacheCandidates({ ...linux, env: { XDG_CACHE_HOME: 'relative' } })[0]).toBe('/home/ada/.cache/delta-ci');
  });

  it('is only where it is told to be, when it is told', () => {
    expect(cacheCandidates({ ...linux, env: { DELTA_CACHE_HOME: '/mnt/c' } })).toEqual(['/mnt/c']);
  });
});
