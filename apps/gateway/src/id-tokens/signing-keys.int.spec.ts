import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SigningKeys } from './signing-keys.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const TIMES = { periodMs: 30 * DAY_MS, tokenMsMax: HOUR_MS };

describe('keys of identity tokens', () => {
  let directory: string;
  let nowMs: number;
  let keys: SigningKeys;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'delta-keys-'));
    // In the middle of a period.
    nowMs = 700.5 * TIMES.periodMs;
    keys = new SigningKeys(directory, TIMES, () => nowMs);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const ids = async (of = keys): Promise<(string | undefined)[]> => (await of.published()).map(({ kid }) => kid);

  it('given a new installation, then the current key and the next are made, private to it and public as keys alone', async () => {
    const current = await keys.current();
    expect((await ids())[0]).toBe(current.id);
    expect(readdirSync(directory).sort()).toEqual(['id-token-700.pem', 'id-token-701.pem']);
    for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    for (const key of await keys.published())
      expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });

  it('given another gateway with the same files, also one that starts at the same moment, then they agree', async () => {
    const other = new SigningKeys(directory, TIMES, () => nowMs);
    const [mine, theirs] = await Promise.all([ids(), ids(other)]);
    expect(theirs).toEqual(mine);
  });

  it('given a period that ends, then the key that was published before signs, and the old one stays until its tokens are over', async () => {
    const old = await keys.current();
    const [, next] = await ids();
    nowMs = 701 * TIMES.periodMs + HOUR_MS / 2;
    expect((await keys.current()).id).toBe(next);
    expect((await ids()).slice(0, 2)).toEqual([old.id, next]);
    nowMs = 701 * TIMES.periodMs + 2 * HOUR_MS;
    expect(await ids()).not.toContain(old.id);
    await keys.removePast();
    expect(readdirSync(directory).sort()).toEqual(['id-token-701.pem', 'id-token-702.pem']);
  });

  it('given a file that is no key, then it is told by its place, without its text', async () => {
    writeFileSync(join(directory, 'id-token-700.pem'), 'not-a-secret-key');
    await expect(keys.current()).rejects.toThrow('id-token-700.pem: expected the PEM of an RSA private key');
    await expect(keys.current()).rejects.not.toThrow('not-a-secret-key');
  });
});
