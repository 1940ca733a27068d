import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadAccessTokens, readAdminToken } from './access-tokens.ts';
import { readSigningKey } from './runner-tokens.ts';

describe('files of secrets', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-access-'));
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  it('given none, when many gateways start at once, then all have the same token and key', async () => {
    const path = join(directory, 'deep', 'admin-token');
    const all = await Promise.all(Array.from({ length: 8 }, async () => readAdminToken(path)));
    expect(new Set(all.map(({ token }) => token)).size).toBe(1);
    expect(all.filter(({ made }) => made)).toHaveLength(1);
    const keys = await Promise.all(Array.from({ length: 8 }, async () => readSigningKey(directory)));
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
  });

  it('given an administrator token, when the service starts again, then it is kept', async () => {
    const path = join(directory, 'admin-token');
    const { token } = await readAdminToken(path);
    expect(await readAdminToken(path)).toEqual({ token, made: false });
    expect((await loadAccessTokens(token, undefined)).callerOf(token)).toEqual({
      kind: 'access',
      name: 'admin',
      role: 'admin',
    });
  });

  it.each([
    ['a token that is too short', 'admin', 'expected a token'],
    ['no token', '', 'expected a token'],
  ])('given a file with %s, then the start is refused', async (_name, text, message) => {
    const path = join(directory, 'admin-token');
    await writeFile(path, text);
    await expect(readAdminToken(path)).rejects.toThrow(message);
  });

  it('given a key that is none, then the start is refused without repeating it', async () => {
    await writeFile(join(directory, 'runner-token.key'), 'not-a-secret-key');
    await expect(readSigningKey(directory)).rejects.toThrow(/^(?!.*not-a-secret).*hexadecimal/);
  });

  it.each([
    ['no JSON', '{', 'is not JSON'],
    ['an unknown role', JSON.stringify({ tokens: [{ name: 'a', role: 'root', sha256: '0'.repeat(64) }] }), 'role'],
    ['a token in clear', JSON.stringify({ tokens: [{ name: 'a', role: 'admin', token: 'not-a-secret' }] }), 'tokens.0'],
  ])('given a tokens file with %s, then the start is refused', async (_name, text, message) => {
    const path = join(directory, 'tokens.json');
    await writeFile(path, text);
    await expect(loadAccessTokens('not-a-secret-admin', path)).rejects.toThrow(message);
  });
});
