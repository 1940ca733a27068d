import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadSecrets } from './load-secrets.ts';
import type { SecretStore, FoundSecrets } from './secret-store.ts';

const MAIN = { repository: 'github/demo/shop', ref: 'refs/heads/main' };
const NPM = 'not-a-secret-of-npm';
const CLOUD = 'not-a-secret-of-a-cloud';

describe('secrets of the gateway', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'delta-secrets-'));
    mkdirSync(join(directory, 'mounted'));
    writeFileSync(join(directory, 'mounted', 'npm'), `${NPM}\n`);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const settingsFile = (settings: unknown): string => {
    const path = join(directory, 'secrets.json');
    writeFileSync(path, typeof settings === 'string' ? settings : JSON.stringify(settings));
    return path;
  };
  const PROVIDERS = { mounted: { kind: 'files', directory: 'mounted' }, process: { kind: 'env' } };
  const GRANTS = [
    { repositories: ['github/demo/shop'], provider: 'mounted', secrets: { NPM_TOKEN: 'npm' } },
    {
      repositories: ['github/demo/*'],
      refs: ['refs/heads/main', 'refs/tags/*'],
      provider: 'process',
      secrets: { CLOUD_KEY: 'CLOUD' },
    },
  ];
  const load = async (settings: unknown, env: Record<string, string> = { CLOUD }) =>
    loadSecrets(settingsFile(settings), env);
  const store = async (): Promise<SecretStore> => {
    const loaded = await load({ providers: PROVIDERS, grants: GRANTS });
    if (!loaded.ok) throw new Error(loaded.problems.join('; '));
    return loaded.store;
  };

  it('given names that are granted, then each comes from its provider, without the line feed of its file', async () => {
    expect(await (await store()).find(MAIN, ['NPM_TOKEN', 'CLOUD_KEY'])).toEqual({
      ok: true,
      secrets: [
        { name: 'NPM_TOKEN', provider: 'mounted', value: NPM },
        { name: 'CLOUD_KEY', provider: 'process', value: CLOUD },
      ],
    });
  });

  it('given a value that was changed, then the changed one is found', async () => {
    const secrets = await store();
    writeFileSync(join(directory, 'mounted', 'npm'), 'not-a-secret-any-more');
    expect(await secrets.find(MAIN, ['NPM_TOKEN'])).toMatchObject({ secrets: [{ value: 'not-a-secret-any-more' }] });
  });

  it.each([
    ['another repository', { repository: 'github/demo/shop-of-a-stranger', ref: MAIN.ref }, 'NPM_TOKEN'],
    ['another branch', { repository: MAIN.repository, ref: 'refs/heads/main-of-a-stranger' }, 'CLOUD_KEY'],
    ['a name that nobody grants', MAIN, 'NOBODYS_TOKEN'],
    ['a name of every object', MAIN, 'CONSTRUCTOR'],
  ])('given %s, then nothing is found, and the sentence says the name and what to do', async (_, scope, name) => {
    const found = await (await store()).find(scope, ['NPM_TOKEN', name]);
    expect(problemsIn(found)).toContainEqual(expect.stringContaining(`the secret ${name} is not granted to`));
    expect(JSON.stringify(found)).not.toContain('not-a-secret');
  });

  it.each([
    ['is gone', (file: string) => rmSync(file), 'cannot be read (ENOENT)'],
    ['is too short to be masked', (file: string) => writeFileSync(file, 'abc\n'), 'needs 4'],
    ['is too large', (file: string) => writeFileSync(file, 'x'.repeat(40_000)), 'more than 32768 bytes'],
    ['is no text', (file: string) => writeFileSync(file, Buffer.from([0xff, 0xfe, 0xfd, 0xfc])), 'not text'],
    ['holds a NUL', (file: string) => writeFileSync(file, 'abcd\0efgh'), 'NUL'],
  ])('given a file that %s, then the secret is refused by name, without its value', async (_, change, why) => {
    const secrets = await store();
    const file = join(directory, 'mounted', 'npm');
    change(file);
    const found = await secrets.find(MAIN, ['NPM_TOKEN', 'CLOUD_KEY']);
    expect(problemsIn(found)).toEqual([expect.stringMatching(/^the secret NPM_TOKEN of the provider mounted /)]);
    expect(JSON.stringify(found)).toContain(why);
    expect(JSON.stringify(found)).not.toContain(CLOUD);
  });

  it('given a directory in the place of a file, then it is none', async () => {
    const secrets = await store();
    rmSync(join(directory, 'mounted', 'npm'));
    symlinkSync('/', join(directory, 'mounted', 'npm'));
    expect(problemsIn(await secrets.find(MAIN, ['NPM_TOKEN']))).toHaveLength(1);
  });

  it.each([
    ['{ "not-a-secret"', 'is not JSON'],
    [{ providers: {}, grants: [], more: 1 }, 'more'],
    [{ providers: { a: { kind: 'ldap' } }, grants: [] }, 'providers.a'],
    [{ providers: { a: { kind: 'files', directory: 'nowhere' } }, grants: [] }, 'nowhere is not a directory'],
    [{ providers: {}, grants: [GRANTS[0]] }, 'there is no provider mounted'],
    [grantOf('mounted', '../etc/passwd'), 'secrets.A_KEY: expected the path of a file below the directory'],
    [grantOf('mounted', '/etc/passwd'), 'secrets.A_KEY: expected the path of a file below the directory'],
    [grantOf('process', 'DELTA_DATABASE_URL'), 'settings of the gateway itself'],
    [grantOf('process', 'NOT_THERE'), 'the variable NOT_THERE is not set, or empty'],
    [{ providers: PROVIDERS, grants: [{ ...GRANTS[0], repositories: ['github/*/shop'] }] }, 'followed by one *'],
    [{ providers: PROVIDERS, grants: [{ ...GRANTS[0], secrets: { lower: 'npm' } }] }, 'secrets'],
  ])('given the settings %j, then the gateway does not start, and says where', async (settings, where) => {
    const loaded = await load(settings);
    expect(loaded.ok ? [] : loaded.problems).toContainEqual(expect.stringContaining(where));
    expect(JSON.stringify(loaded)).not.toContain('not-a-secret');
  });

  it('given no settings, then nothing is granted', async () => {
    const loaded = await loadSecrets(null, {});
    expect(loaded.ok && problemsIn(await loaded.store.find(MAIN, ['NPM_TOKEN']))).toHaveLength(1);
  });

  function grantOf(provider: string, place: string): unknown {
    return { providers: PROVIDERS, grants: [{ repositories: ['*'], provider, secrets: { A_KEY: place } }] };
  }
});

const problemsIn = (found: FoundSecrets): readonly string[] => (found.ok ? [] : found.problems);
