import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findServedRepository, findSourceToken, loadForgeSettings, type LoadedForges } from './settings.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'delta-forges-'));
});
afterAll(async () => rm(directory, { recursive: true, force: true }));

const ENV = { HOOK: 'not-a-secret-webhook', TOKEN: 'not-a-secret-token' };
const forge = (over: object = {}): object => ({
  kind: 'github',
  name: 'github',
  apiUrl: 'https://api.forge.example',
  webhookSecret: { env: 'HOOK' },
  token: { env: 'TOKEN' },
  repositories: [{ id: 'github/demo/shop', cloneUrl: 'https://forge.example/demo/shop.git' }],
  ...over,
});

let files = 0;
async function load(...forges: object[]): Promise<LoadedForges> {
  files += 1;
  const path = join(directory, `forges-${files}.json`);
  await writeFile(path, JSON.stringify({ forges }));
  return loadForgeSettings(path, ENV);
}

describe('forge settings', () => {
  it('given a whole file, then secrets are read and what is not said is the careful choice', async () => {
    expect(await load(forge())).toMatchObject({
      ok: true,
      forges: [
        {
          webhookSecret: ENV.HOOK,
          token: ENV.TOKEN,
          cloneProtocols: ['https'],
          allowPrivateAddresses: false,
          repositories: [{ defaultBranch: 'main' }],
        },
      ],
    });
  });

  it('given secrets in files beside the settings, then they are read without their last line feed', async () => {
    await writeFile(join(directory, 'hook.txt'), `${ENV.HOOK}\n`);
    expect(await load(forge({ webhookSecret: { file: 'hook.txt' }, token: null }))).toMatchObject({
      ok: true,
      forges: [{ webhookSecret: ENV.HOOK, token: null }],
    });
  });

  it.each<[string, object[], RegExp]>([
    ['a secret written down', [forge({ webhookSecret: ENV.HOOK })], /webhookSecret/],
    ['a variable without value', [forge({ webhookSecret: { env: 'GONE' } })], /the variable GONE has no value/],
    ['a token file that is not there', [forge({ token: { file: 'gone.txt' } })], /the file gone\.txt has no value/],
    [
      'a token for sources that is not there',
      [forge({ sourceToken: { env: 'GONE' } })],
      /sourceToken: the variable GONE/,
    ],
    ...['https://fake-user@', 'https://x:fake-secret@', 'ssh://git:fake-secret@'].map(
      (start): [string, object[], RegExp] => [
        `credentials in an address (${start})`,
        [forge({ repositories: [{ id: 'github/demo/shop', cloneUrl: `${start}forge.example/demo/shop.git` }] })],
        /^[^@]*forges\.0\.repositories\.0\.cloneUrl: expected no user and no password in it: sourceToken [^@]*$/,
      ],
    ),
    ['an unknown key', [forge({ webhokSecret: 1 })], /webhokSecret/],
    ['another protocol', [forge({ apiUrl: 'file:///etc/passwd' })], /apiUrl/],
    ['a forge twice', [forge(), forge({ repositories: [] })], /github is listed twice/],
    [
      'a repository of another forge',
      [forge({ repositories: [{ id: 'gitea/demo/shop', cloneUrl: 'x' }] })],
      /must start with github\//,
    ],
  ])('given %s, then it is a problem with its place', async (_what, forges, problem) => {
    const loaded = await load(...forges);
    expect(loaded.ok ? [] : loaded.problems).toEqual(expect.arrayContaining([expect.stringMatching(problem)]));
  });

  it('given a secret that can be guessed, then that is a problem, and the secret is not in it', async () => {
    await writeFile(join(directory, 'short.txt'), 'short-one');
    const loaded = await load(forge({ webhookSecret: { file: 'short.txt' } }));
    expect(loaded).toMatchObject({ ok: false, problems: [expect.stringContaining('at least 16 characters')] });
    expect(JSON.stringify(loaded)).not.toContain('short-one');
  });

  it('given no file, or none that is JSON, then that is the problem', async () => {
    expect(await loadForgeSettings(join(directory, 'gone.json'), ENV)).toMatchObject({ ok: false });
    const path = join(directory, 'half.json');
    await writeFile(path, '{');
    expect(await loadForgeSettings(path, ENV)).toEqual({ ok: false, problems: [`${path}: is not JSON`] });
  });

  it('given tokens for sources, then a repository has its own, or its forge’s, and it travels to that one address alone', async () => {
    const repositories = ['shop', 'mall', 'plain'].map((name) => ({
      id: `github/demo/${name}`,
      cloneUrl: `${name === 'plain' ? 'http' : 'https'}://forge.example/demo/${name}.git`,
      ...(name === 'mall' ? { sourceToken: { env: 'HOOK' } } : {}),
    }));
    const loaded = await load(forge({ sourceToken: { env: 'TOKEN' }, repositories }));
    if (!loaded.ok) throw new Error(loaded.problems.join());
    const tokenFor = (id: string, cloneUrl: string): string | null => findSourceToken(loaded.forges, { id, cloneUrl });
    expect(tokenFor('github/demo/shop', 'https://forge.example/demo/shop.git')).toBe(ENV.TOKEN);
    expect(tokenFor('github/demo/mall', 'https://forge.example/demo/mall.git')).toBe(ENV.HOOK);
    expect(tokenFor('github/demo/shop', 'https://forge.example/demo/mall.git')).toBeNull();
    expect(tokenFor('github/demo/gone', 'https://forge.example/demo/gone.git')).toBeNull();
    expect(tokenFor('github/demo/plain', 'http://forge.example/demo/plain.git')).toBeNull();
    expect(JSON.stringify(loaded.forges.map((each) => each.repositories))).not.toContain('not-a-secret');
  });

  it('given none, then the token for publishing is not one for sources', async () => {
    const loaded = await load(forge());
    const shop = { id: 'github/demo/shop', cloneUrl: 'https://forge.example/demo/shop.git' };
    expect(loaded.ok && findSourceToken(loaded.forges, shop)).toBeNull();
  });

  it('given an id, then the served repository is found by it alone', async () => {
    const loaded = await load(forge());
    if (!loaded.ok) throw new Error(loaded.problems.join());
    expect(findServedRepository(loaded.forges, 'github/demo/shop')?.repository.cloneUrl).toMatch(/shop\.git$/);
    expect(findServedRepository(loaded.forges, 'github/demo/sho')).toBeNull();
  });
});
