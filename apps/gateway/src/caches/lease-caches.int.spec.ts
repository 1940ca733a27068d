import { readdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '@delta-ci/artifact-store';
import { RemoveCachesAnswer, runStream } from '@delta-ci/contracts';
import { whereObjectsAreServed } from '../../../../test/support/infra/object-server.ts';
import { ATTEMPT } from '../../../../test/support/made-up/one-job-run.ts';
import { json, type TestGateway } from '../gateway.fixture.ts';
import {
  Caches,
  KEY,
  PROPOSED,
  PULL_REQUEST,
  STRANGER,
  WITHOUT,
  chunkOf,
  ownerOf,
  repository,
  send,
  type Working,
} from './lease-caches.fixture.ts';

interface Store {
  readonly settings: Readonly<Record<string, string>>;
  /** What a chunk's first upload is answered. */
  readonly sent: string;
  readonly damage: (gateway: TestGateway, digest: string) => Promise<void>;
  readonly lose: (gateway: TestGateway, digest: string) => Promise<void>;
}

/** What holds under a lease, wherever the store is. */
function describeLeaseCaches(store: () => Promise<Store>): void {
  let caches: Caches;
  let main: Working;
  let stranger: Working;
  let kept: Store;
  const one = chunkOf('what npm has downloaded\n');
  const content = { home: [one.chunk], workspace: [] };

  beforeAll(async () => {
    kept = await store();
    caches = await Caches.open(kept.settings);
    main = await caches.working();
    stranger = await caches.working(STRANGER);
  });
  afterAll(async () => caches.gateway.end());

  it('given nothing is kept, then it is a miss, and says whether the run may save', async () => {
    expect(await main.find()).toEqual({ cache: null, saves: 'trusted' });
    expect(await stranger.find()).toEqual({ cache: null, saves: null });
    expect(await (await caches.working(PULL_REQUEST)).find()).toEqual({ cache: null, saves: 'ref:refs/pull/7/head' });
  });

  it('given a key that the plan does not have, then there is no such cache, whoever asks', async () => {
    for (const runner of [main, stranger]) {
      expect(await runner.ask('/find', { key: 'another' })).toMatchObject({ status: 404, code: 'not_found' });
      expect((await runner.get(one.chunk.digest, 'another')).status).toBe(404);
    }
    expect(await main.ask('', { key: 'another', content })).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('given a change of a stranger, then no chunk and no cache of it is taken, by whatever way it comes', async () => {
    const { digest, sizeBytes } = one.chunk;
    expect(await stranger.ask('/chunks', { digest, sizeBytes })).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await stranger.put(digest, one.bytes)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await stranger.ask('', { key: KEY, content })).toMatchObject({ status: 403, code: 'forbidden' });
    expect(caches.recorded).toEqual([]);
  });

  it('given a job without caches, then nothing of it is taken', async () => {
    const { digest, sizeBytes } = one.chunk;
    const without = await caches.working({}, WITHOUT);
    expect(await without.ask('/chunks', { digest, sizeBytes })).toMatchObject({ status: 404, code: 'not_found' });
    expect(await without.put(digest, one.bytes)).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('given chunks that were not sent, or not as they were announced, then nothing is recorded', async () => {
    expect(await main.ask('', { key: KEY, content })).toMatchObject({ status: 404, code: 'not_found' });
    expect(await main.put(one.chunk.digest, Buffer.from('something else'))).toMatchObject({ code: 'digest_mismatch' });
    expect(await main.ask('', { key: KEY, content: { home: [], workspace: [] } })).toMatchObject({ status: 400 });
    expect(caches.recorded).toEqual([]);
  });

  it('given chunks that stand, then it is recorded with what it adds up to, once for the same request', async () => {
    expect([await send(main, one), await send(main, one)]).toEqual([kept.sent, 'stands']);
    for (const _ of ['first', 'again'])
      expect(await main.ask('', { key: KEY, content })).toMatchObject({ status: 200, body: { domain: 'trusted' } });
    const [first, again] = caches.recorded;
    const { sizeBytes, contentBytes } = one.chunk;
    expect(first?.data.cache).toEqual({ key: KEY, digest: expect.any(String), sizeBytes, contentBytes, content });
    expect(again?.id).toBe(first?.id);
  });

  it('given a chunk of another domain or another repository, then it does not stand for a run, and nothing that refers to it is kept', async () => {
    const { digest, sizeBytes } = one.chunk;
    const elsewhere = { ...repository, id: `${repository.id}-2`, fullName: `${repository.fullName}-2` };
    const before = caches.recorded.length;
    for (const others of [await caches.working(PULL_REQUEST), await caches.working({}, PROPOSED, elsewhere)]) {
      expect((await others.ask('/chunks', { digest, sizeBytes })).body).toMatchObject({ stands: false });
      expect(await others.ask('', { key: KEY, content })).toMatchObject({ status: 404, code: 'not_found' });
      expect(caches.recorded).toHaveLength(before);
    }
    // Whoever brings it has what he brought.
    const own = await caches.working({}, PROPOSED, elsewhere);
    expect([await send(own, one), await send(own, one)]).toEqual([kept.sent, 'stands']);
    expect(await own.ask('', { key: KEY, content })).toMatchObject({ status: 200 });
    caches.recorded.length = before;
  });

  it('given it is kept, then whoever may read is given it, whole and right, and nothing but it', async () => {
    const [recorded] = caches.recorded;
    if (recorded === undefined) throw new Error('it was recorded before');
    await caches.keep(main.runId, recorded, 'trusted');
    for (const runner of [main, stranger]) {
      const { cache } = await runner.find();
      expect(cache).toMatchObject({ domain: 'trusted', content: { home: [one.chunk], workspace: [] } });
      const url = cache?.content.home[0]?.url ?? null;
      const ways = [await runner.get(one.chunk.digest), ...(url === null ? [] : [await fetch(url)])];
      for (const answer of ways) expect(Buffer.from(await answer.arrayBuffer()).equals(one.bytes)).toBe(true);
      expect((await runner.get(digestOf('another'))).status).toBe(404);
    }
  });

  it('given it is kept, then whoever would save it again, or another, is told so, and the log is not asked', async () => {
    const before = caches.recorded.length;
    expect(await main.ask('', { key: KEY, content })).toMatchObject({ status: 200, body: { domain: 'trusted' } });
    const other = { home: [], workspace: [one.chunk] };
    expect(await main.ask('', { key: KEY, content: other })).toMatchObject({ status: 409, code: 'conflicting_repeat' });
    expect(caches.recorded).toHaveLength(before);
  });

  it('given it cannot be unpacked, then it is removed for whoever may save it, and for what was found alone', async () => {
    const before = caches.removed.length;
    const found = { key: KEY, content };
    expect(await stranger.ask('/give-up', found)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await main.ask('/give-up', { ...found, key: 'another' })).toMatchObject({ status: 404, code: 'not_found' });
    const others = { key: KEY, content: { home: [], workspace: [one.chunk] } };
    for (const [runner, request] of [[main, others] as const, [await caches.working(PULL_REQUEST), found] as const])
      expect(await runner.ask('/give-up', request)).toMatchObject({ status: 200 });
    expect(caches.removed).toHaveLength(before);
    expect(await main.ask('/give-up', found)).toMatchObject({ status: 200 });
    expect(caches.removed.slice(before).map(({ data }) => data)).toMatchObject([
      { because: 'damaged', reason: 'a job could not unpack it', caches: [{ runId: main.runId, domain: 'trusted' }] },
    ]);
  });

  it('given the store has something else by now, then that is no answer, and the cache is removed, once it is sure', async () => {
    await kept.damage(caches.gateway, one.chunk.digest);
    const status = main.get(one.chunk.digest).then(async (answer) => (await answer.arrayBuffer(), answer.status));
    expect(await status.catch(() => 'broken off')).not.toBe(200);
    await kept.lose(caches.gateway, one.chunk.digest);
    expect((await stranger.get(one.chunk.digest)).status).toBe(404);
    expect(caches.removed.length).toBeGreaterThan(0);
    for (const { data, actor } of caches.removed) {
      expect(actor).toEqual({ kind: 'service', name: 'gateway' });
      expect(data).toMatchObject({ because: 'damaged', caches: [{ runId: main.runId, key: KEY, domain: 'trusted' }] });
    }
  });
}

const OTHER_BYTES = Buffer.from('somebody wrote this behind the back of the store');

describe('caches under a lease, where the store is a directory', () => {
  const path = ({ artifactDir }: TestGateway, digest: string): string =>
    join(artifactDir, 'caches', 'sha256', digest.slice(7, 9), `${digest.slice(7)}${ownerOf('trusted')}`);
  describeLeaseCaches(() =>
    Promise.resolve({
      settings: {},
      sent: '200',
      damage: async (gateway, digest) => writeFile(path(gateway, digest), OTHER_BYTES),
      lose: (gateway, digest) => Promise.resolve(rmSync(path(gateway, digest), { force: true })),
    }),
  );

  it('given more under a key than one record may name, then a person removes all of it, what everybody reads first', async () => {
    const caches = await Caches.open();
    const { gateway } = caches;
    const { runId } = await caches.working();
    const { chunk } = chunkOf('x');
    const { sizeBytes, contentBytes, digest } = chunk;
    const cache = { key: KEY, digest, sizeBytes, contentBytes, content: { home: [chunk], workspace: [] } };
    const domains = [...Array.from({ length: 149 }, (_, at) => `ref:refs/heads/${at}`), 'trusted'];
    const saved = domains.map((domain, at) => ({
      type: 'cache.saved' as const,
      data: { ...ATTEMPT, attempt: at + 1, repository: repository.id, domain, cache },
    }));
    expect(await gateway.append(runStream(runId), saved)).toMatchObject({ ok: true });
    const body = json({ repository: repository.id, key: KEY });
    const answer = await gateway.call('/api/v1/caches/remove', { ...body, token: gateway.adminToken });
    const { removed, more } = RemoveCachesAnswer.parse(await answer.json());
    expect([answer.status, removed.length, more]).toEqual([200, 150, false]);
    expect(caches.removed.map(({ data }) => data.caches.length)).toEqual([100, 50]);
    expect(caches.removed[0]?.data.caches[0]?.domain).toBe('trusted');
    const named = caches.removed.flatMap(({ data }) => data.caches.map(({ domain }) => domain));
    expect(named.toSorted()).toEqual(domains.toSorted());
    await gateway.end();
  });

  it('a spec of a directory looks where chunks are', async () => {
    const caches = await Caches.open();
    const runner = await caches.working();
    const { bytes, chunk } = chunkOf('x');
    await send(runner, { bytes, chunk });
    expect(readdirSync(join(path(caches.gateway, chunk.digest), '..'))).toEqual([
      `${chunk.digest.slice(7)}${ownerOf('trusted')}`,
    ]);
    await caches.gateway.end();
  });
});

await whereObjectsAreServed('caches under a lease, where the store', (server) => {
  const ends: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
  });
  describeLeaseCaches(async () => {
    const served = await server();
    ends.push(async () => served.end());
    const bucket = await served.freshBucket();
    ends.push(async () => bucket.drop());
    const key = (digest: string): string =>
      `caches/sha256/${digest.slice(7, 9)}/${digest.slice(7)}${ownerOf('trusted')}`;
    return {
      settings: {
        DELTA_ARTIFACT_STORE: 's3',
        DELTA_ARTIFACT_S3_BUCKET: bucket.name,
        DELTA_ARTIFACT_S3_REGION: served.region,
        DELTA_ARTIFACT_S3_ENDPOINT: served.endpoint,
        DELTA_ARTIFACT_S3_PATH_STYLE: String(served.pathStyle),
        DELTA_ARTIFACT_S3_ACCESS_KEY_ID: served.credentials.accessKeyId,
        DELTA_ARTIFACT_S3_SECRET_ACCESS_KEY: served.credentials.secretAccessKey,
      },
      sent: 'straight 200',
      damage: async (_, digest) => bucket.overwrite(key(digest), OTHER_BYTES),
      lose: async (_, digest) => bucket.overwrite(key(digest), null),
    };
  });
});
