import { describe, expect, it } from '@jest/globals';
import { CacheListQuery } from './cache-api.ts';
import { CacheKey } from './caches.ts';
import { RunId } from './ids.ts';

describe('pages of caches', () => {
  it.each(['k', 'é', '語', '\u0001', '\u{1f980}'])(
    'given keys of 500 times %j, then a page can go on after one',
    (unit) => {
      const key = CacheKey.parse(unit.repeat(500 / unit.length));
      const runId = RunId.parse(`run_${'1'.repeat(32)}`);
      const place = JSON.stringify([Date.UTC(2300), runId, 'j'.repeat(100), key]);
      const cursor = Buffer.from(place).toString('base64url');
      expect(CacheListQuery.safeParse({ cursor })).toMatchObject({ success: true, data: { cursor } });
    },
  );
});
