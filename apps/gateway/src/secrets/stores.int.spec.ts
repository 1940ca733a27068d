import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadSecrets } from './load-secrets.ts';
import type { FoundSecrets, SecretStore } from './secret-store.ts';
import { ownCertificate, SmallStore, type StoreReply } from './small-store.fixture.ts';

const SCOPE = { repository: 'github/demo/shop', ref: 'refs/heads/main' };
const VALUE = 'not-a-secret-of-npm';
const TOKEN = 'not-a-secret-token-of-the-gateway';

const problemsIn = (found: FoundSecrets): string => (found.ok ? '' : found.problems.join());

/** The providers that ask another process, against servers that answer as the documentation of their APIs says. */
describe('stores of secrets', () => {
  let directory: string;
  let store: SmallStore;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'delta-stores-'));
    writeFileSync(join(directory, 'token'), `${TOKEN}\n`);
    store = await SmallStore.open();
  });
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function secretsOf(provider: object, place: string): Promise<SecretStore> {
    const grants = [{ repositories: ['*'], provider: 'store', secrets: { NPM_TOKEN: place } }];
    const path = join(directory, 'secrets.json');
    writeFileSync(path, JSON.stringify({ providers: { store: provider }, grants }));
    const loaded = await loadSecrets(path, { FAKE_VAULT_TOKEN: TOKEN });
    if (!loaded.ok) throw new Error(loaded.problems.join('; '));
    return loaded.store;
  }
  const found = (value: string): object => ({
    ok: true,
    secrets: [{ name: 'NPM_TOKEN', provider: 'store', value }],
  });

  describe('Vault', () => {
    const version = (data: unknown): StoreReply => ({
      status: 200,
      body: { request_id: '1', lease_duration: 0, data: { data, metadata: { version: 3, destroyed: false } } },
    });
    const vault = (auth: object = { tokenFile: 'token' }, more: object = {}) => ({
      kind: 'vault',
      url: store.url,
      mount: 'kv',
      auth,
      ...more,
    });

    it('given a token, then the field of the newest version is read with it', async () => {
      store.reply = () => version({ token: VALUE, other: 'x' });
      const secrets = await secretsOf(vault({ tokenEnv: 'FAKE_VAULT_TOKEN' }, { namespace: 'team' }), 'ci/npm#token');
      expect(await secrets.find(SCOPE, ['NPM_TOKEN'])).toEqual(found(VALUE));
      const [asked] = store.heard;
      expect(asked).toMatchObject({ method: 'GET', path: '/v1/kv/data/ci/npm' });
      expect(asked?.headers).toMatchObject({
        'x-vault-token': TOKEN,
        'x-vault-namespace': 'team',
        'x-vault-request': 'true',
      });
    });

    it('given the service account, then one login serves until it is refused, and then another one', async () => {
      let valid = 'login-1';
      let logins = 0;
      store.reply = ({ path, headers }) => {
        if (path === '/v1/auth/kubernetes/login') {
          logins += 1;
          valid = `login-${logins}`;
          return { status: 200, body: { auth: { client_token: valid, lease_duration: 3_600, renewable: true } } };
        }
        return headers['x-vault-token'] === valid ? version({ token: VALUE }) : { status: 403, body: { errors: [] } };
      };
      const secrets = await secretsOf(vault({ kubernetes: { role: 'delta', tokenFile: 'token' } }), 'ci/npm#token');
      for (let time = 0; time < 2; time += 1) expect(await secrets.find(SCOPE, ['NPM_TOKEN'])).toEqual(found(VALUE));
      expect(logins).toBe(1);
      expect(JSON.parse(store.heard[0]?.body ?? '')).toEqual({ role: 'delta', jwt: TOKEN });
      valid = 'revoked';
      expect(await secrets.find(SCOPE, ['NPM_TOKEN'])).toEqual(found(VALUE));
      expect(logins).toBe(2);
    });

    it('given leases and secrets that need the service account at once, then they share one login', async () => {
      let logins = 0;
      store.reply = ({ path }) => {
        if (path !== '/v1/auth/kubernetes/login') return version({ token: VALUE });
        logins += 1;
        return { status: 200, body: { auth: { client_token: `login-${logins}`, lease_duration: 3_600 } } };
      };
      const secrets = await secretsOf(vault({ kubernetes: { role: 'delta', tokenFile: 'token' } }), 'ci/npm#token');
      const all = await Promise.all(Array.from({ length: 5 }, async () => secrets.find(SCOPE, ['NPM_TOKEN'])));
      expect([all, logins]).toEqual([Array.from({ length: 5 }, () => found(VALUE)), 1]);
    });

    it('given a file for the token that is empty, then that is told, and nobody is asked', async () => {
      writeFileSync(join(directory, 'token'), '\n');
      const result = await (await secretsOf(vault(), 'ci/npm#token')).find(SCOPE, ['NPM_TOKEN']);
      expect([problemsIn(result), store.heard]).toEqual([expect.stringContaining('for the store is empty'), []]);
    });

    it('given a store that is cut off and overloaded for a while, then it is asked again', async () => {
      const replies: StoreReply[] = ['cut', { status: 503, body: { errors: ['sealed'] } }, version({ token: VALUE })];
      store.reply = () => replies.shift() ?? 'cut';
      const secrets = await secretsOf(vault(), 'ci/npm#token');
      expect(await secrets.find(SCOPE, ['NPM_TOKEN'])).toEqual(found(VALUE));
      expect(store.heard).toHaveLength(3);
    });

    it.each<[string, StoreReply, string]>([
      ['has nothing there', { status: 404, body: { errors: [] } }, 'has nothing there'],
      ['forbids it', { status: 403, body: { errors: [VALUE] } }, '(403)'],
      ['has no such field', { status: 200, body: { data: { data: { other: VALUE } } } }, 'no such field'],
      ['has a number there', { status: 200, body: { data: { data: { token: 12_345 } } } }, 'not text'],
      ['sends elsewhere', { status: 307, body: VALUE }, '(307)'],
      ['answers nonsense', { status: 200, body: `<html>${VALUE}` }, 'an answer that is none'],
      ['stays away', { status: 500, body: { errors: [VALUE] } }, 'answered 500'],
    ])('given a store that %s, then the secret is refused by name, without what was said', async (_, reply, why) => {
      store.reply = () => reply;
      const result = await (await secretsOf(vault(), 'ci/npm#token')).find(SCOPE, ['NPM_TOKEN']);
      expect(problemsIn(result)).toContain('the secret NPM_TOKEN of the provider store cannot be used: ');
      expect(problemsIn(result)).toContain(why);
      expect(problemsIn(result)).not.toContain(VALUE);
    });

    it('given a flood for an answer, then it is not read to its end', async () => {
      store.reply = () => ({ status: 200, body: 'x'.repeat(3 * 1024 * 1024) });
      const result = await (await secretsOf(vault(), 'ci/npm#token')).find(SCOPE, ['NPM_TOKEN']);
      expect(problemsIn(result)).toContain('ANSWER_TOO_LARGE');
    });

    it.each([
      ['a place without a field', vaultAt('https://vault.example.org'), 'ci/npm', 'expected path#field'],
      ['a place above its path', vaultAt('https://vault.example.org'), '../sys/auth#x', 'expected path#field'],
      ['a store elsewhere without TLS', vaultAt('http://vault.example.org'), 'a#b', 'expected https'],
      ['a credential in its address', vaultAt('https://u:p@vault.example.org'), 'a#b', 'no credential'],
      ['a token that is not there', vaultAt('https://vault.example.org', 'nowhere'), 'a#b', 'cannot be read'],
    ])('given settings with %s, then they are refused', async (_, provider, place, why) => {
      await expect(secretsOf(provider, place)).rejects.toThrow(why);
    });
  });

  describe('Kubernetes', () => {
    const secret = (data: object): StoreReply => ({
      status: 200,
      body: { kind: 'Secret', apiVersion: 'v1', type: 'Opaque', metadata: { name: 'npm' }, data },
    });
    const encoded = Buffer.from(VALUE).toString('base64');
    const cluster = () => ({ kind: 'kubernetes', namespace: 'ci', url: store.url, accountDir: '.' });

    it('given the files of a service account, then the key of the secret is read over TLS with both', async () => {
      const tls = ownCertificate(directory);
      writeFileSync(join(directory, 'ca.crt'), tls.cert);
      await store.close();
      store = await SmallStore.open(tls);
      store.reply = () => secret({ token: encoded });
      const secrets = await secretsOf(cluster(), 'npm/token');
      expect(await secrets.find(SCOPE, ['NPM_TOKEN'])).toEqual(found(VALUE));
      expect(store.heard[0]).toMatchObject({
        method: 'GET',
        path: '/api/v1/namespaces/ci/secrets/npm',
        headers: { authorization: `Bearer ${TOKEN}` },
      });
    });

    it('given a server that another authority vouches for, then it is told nothing', async () => {
      const tls = ownCertificate(directory);
      writeFileSync(join(directory, 'ca.crt'), ownCertificate(directory).cert);
      await store.close();
      store = await SmallStore.open(tls);
      const result = await (await secretsOf(cluster(), 'npm/token')).find(SCOPE, ['NPM_TOKEN']);
      expect(problemsIn(result)).toContain('cannot be asked');
      expect(store.heard).toEqual([]);
    });

    it.each<[string, StoreReply, string]>([
      ['no such secret', { status: 404, body: { kind: 'Status', reason: 'NotFound' } }, 'no such secret'],
      ['no right to read it', { status: 403, body: { kind: 'Status', reason: 'Forbidden' } }, '(403)'],
      ['no such key', secret({ other: encoded }), 'no such key'],
      ['bytes that are no text', secret({ token: '//79/A==' }), 'not text'],
      ['something else', { status: 200, body: { kind: 'Secret', data: { token: 5 } } }, 'an answer that is none'],
    ])('given %s, then the secret is refused by name', async (_, reply, why) => {
      store.reply = () => reply;
      const result = await (await secretsOf(cluster(), 'npm/token')).find(SCOPE, ['NPM_TOKEN']);
      expect(problemsIn(result)).toContain(why);
      expect(problemsIn(result)).not.toContain(encoded);
    });

    it('given a file for the token that is empty, then that is told, and nobody is asked', async () => {
      const secrets = await secretsOf(cluster(), 'npm/token');
      writeFileSync(join(directory, 'token'), '');
      const result = await secrets.find(SCOPE, ['NPM_TOKEN']);
      expect([problemsIn(result), store.heard]).toEqual([expect.stringContaining('token of the gateway'), []]);
      expect(problemsIn(result)).toContain('is empty');
    });

    it('given a place that leads elsewhere, or files that are not there, then the settings are refused', async () => {
      await expect(secretsOf(cluster(), '../other/secrets')).rejects.toThrow('expected name/key');
      await expect(secretsOf({ ...cluster(), accountDir: 'nowhere' }, 'npm/token')).rejects.toThrow('cannot be read');
    });
  });

  function vaultAt(url: string, tokenFile = 'token'): object {
    return { kind: 'vault', url, auth: { tokenFile } };
  }
});
