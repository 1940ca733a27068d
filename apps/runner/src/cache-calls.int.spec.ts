import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JobCaches, type CacheStore, type Sandbox, type StepOutcome } from '@delta-ci/sandbox';
import { SecretMasker } from '@delta-ci/service';
import { CacheCalls } from './cache-calls.ts';
import { GatewayClient } from './gateway-client.ts';

const SECRET = 'not-a-secret-of-a-registry';
const BYTES = Buffer.from('what was saved');
const CHUNK = {
  digest: `sha256:${createHash('sha256').update(BYTES).digest('hex')}`,
  sizeBytes: BYTES.byteLength,
  contentBytes: 20,
};
const UNHURRIED = new AbortController().signal;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const refusal = (status: number, code: string): Answer => ({
  status,
  body: { error: { code, message: 'no', details: {} } },
});

describe('the caches of a mesh, asked for under a lease', () => {
  let server: Server;
  let asked: string[];
  let stale: string[];
  /** What the gateway, and a store beside it, answer. */
  let answers: Record<string, Answer>;
  let calls: CacheStore;
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  beforeEach(async () => {
    [asked, stale, answers] = [[], [], {}];
    server = createServer((request, response) => {
      const what = `${request.method} ${(request.url ?? '').replace(/^.*\/(caches|store)/, '$1').replace(/\?.*/, '')}`;
      asked.push(what);
      request.resume();
      request.once('end', () => {
        const { status, body } = answers[what] ?? { status: 404, body: {} };
        response.writeHead(status).end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    calls = new CacheCalls(new GatewayClient(url()), { current: async () => 'a token' }, 'f'.repeat(64), {
      gone: UNHURRIED,
      stopFor: (reason) => void stale.push(reason),
    });
  });
  afterEach(async () => {
    server.close();
    await once(server, 'close');
  });

  it.each<[string, Buffer, readonly string[]]>([
    ['what was saved', BYTES, ['GET store']],
    ['other bytes', Buffer.from('what was SAVED'), ['GET store', `GET caches/chunks/${CHUNK.digest}`]],
    ['too few bytes', BYTES.subarray(1), ['GET store', `GET caches/chunks/${CHUNK.digest}`]],
  ])('given the store itself answers with %s, then the chunk is the right one', async (_, body, expected) => {
    answers = {
      'GET store': { status: 200, body },
      [`GET caches/chunks/${CHUNK.digest}`]: { status: 200, body: BYTES },
    };
    const bytes = await calls.download('key', { ...CHUNK, url: `${url()}/store` }, UNHURRIED);
    expect([Buffer.from(bytes).toString(), asked]).toEqual([BYTES.toString(), expected]);
  });

  it.each([
    ['not_found', 404, 'damaged'],
    ['digest_mismatch', 409, 'damaged'],
    ['forbidden', 403, 'refused'],
  ])('given a refusal %s of a chunk, then the cache ends as %s', async (code, status, expected) => {
    answers = { [`GET caches/chunks/${CHUNK.digest}`]: refusal(status, code) };
    await expect(calls.download('key', { ...CHUNK, url: null }, UNHURRIED)).rejects.toMatchObject({
      name: 'CacheFailed',
      code: expected,
    });
    expect(asked).toHaveLength(1);
  });

  it('given another job saved it meanwhile, then that is no failure', async () => {
    answers = { 'POST caches': refusal(409, 'conflicting_repeat') };
    expect(await calls.save({ key: 'key', content: { home: [CHUNK], workspace: [] } }, UNHURRIED)).toBeNull();
  });

  it('given a gateway that gives up no cache, then that is no failure; given a lease that is gone, then it is', async () => {
    const cache = { key: 'key', content: { home: [CHUNK], workspace: [] } };
    answers = { 'POST caches/give-up': refusal(404, 'not_found') };
    await calls.giveUp(cache, UNHURRIED);
    answers = { 'POST caches/give-up': refusal(409, 'stale_lease') };
    await expect(calls.giveUp(cache, UNHURRIED)).rejects.toMatchObject({ code: 'refused' });
    expect(asked).toHaveLength(2);
  });

  it('given the lease is gone, then the job is told to stop', async () => {
    answers = { 'POST caches/find': refusal(409, 'stale_lease') };
    await expect(calls.find('key', UNHURRIED)).rejects.toMatchObject({ code: 'refused' });
    expect(stale).toEqual(['stale']);
  });

  it('given a secret of the job in what it would keep, in whatever form, then nothing is kept', async () => {
    const inside = Buffer.from(`{"token":"${Buffer.from(SECRET).toString('base64')}"}`);
    const sandbox: Pick<Sandbox, 'homeDir' | 'workspaceDir' | 'run'> = {
      homeDir: '/home/job',
      workspaceDir: '/workspace',
      run: async (_, sink): Promise<StepOutcome> => {
        await sink(inside).catch(() => undefined);
        return { kind: 'fault', refusal: { code: 'sink_failed', message: 'it was', layer: null, remedy: null } };
      },
    };
    answers = { 'POST caches/find': { status: 200, body: { cache: null, saves: 'trusted' } } };
    const caches = new JobCaches([{ type: 'deps', key: 'key', paths: ['made'] }], {
      store: calls,
      gitDir: '/nowhere',
      jobTimeoutMs: 60_000,
      diskBytes: 1024 ** 3,
      watch: () => new SecretMasker([SECRET]).stream(),
      say: async () => undefined,
      signal: UNHURRIED,
    });
    caches.begin(Promise.resolve());
    await caches.restore(sandbox as Sandbox);
    await caches.save(sandbox as Sandbox, 60_000);
    await caches.close();
    expect(caches.results).toMatchObject([{ hit: false, problems: [{ during: 'save', code: 'secret' }] }]);
    expect(asked).toEqual(['POST caches/find']);
  });
});
