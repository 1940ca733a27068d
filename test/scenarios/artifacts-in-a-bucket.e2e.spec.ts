import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { CacheResult } from '@delta-ci/contracts';
import { eventually } from '../support/infra/index.ts';
import { whereObjectsAreServed, type FreshBucket, type ServedObjects } from '../support/infra/object-server.ts';
import { configWith, startTestMesh, type PushedChange, type TestMesh } from '../support/mesh/index.ts';

const REPOSITORY = 'demo/left-behind';
const MIB = 1_024 ** 2;
/** One through the gateway, one in one request to the bucket, one in parts. */
const SIZES = { 'out/small.bin': 1_000, 'out/large.bin': 3 * MIB, 'out/parts.bin': 65 * MIB };
const KEPT_DAYS = 2;

const fillWithA = (path: string, bytes: number): string => `head -c ${bytes} /dev/zero | tr '\\0' a > ${path}`;
const digestOfA = (bytes: number): string =>
  `sha256:${createHash('sha256').update(Buffer.alloc(bytes, 'a')).digest('hex')}`;

/** From what a job leaves to its removal, with nothing in between that is not the product. */
await whereObjectsAreServed('artifacts of a mesh', (server) => {
  let served: ServedObjects;
  let bucket: FreshBucket;
  let system: TestMesh;
  let change: PushedChange;

  beforeAll(async () => {
    served = await server();
    bucket = await served.freshBucket();
    system = await startTestMesh({
      repositories: [REPOSITORY],
      env: {
        DELTA_ARTIFACT_STORE: 's3',
        DELTA_ARTIFACT_S3_BUCKET: bucket.name,
        DELTA_ARTIFACT_S3_REGION: served.region,
        DELTA_ARTIFACT_S3_ENDPOINT: served.endpoint,
        DELTA_ARTIFACT_S3_PATH_STYLE: String(served.pathStyle),
        DELTA_ARTIFACT_S3_ACCESS_KEY_ID: served.credentials.accessKeyId,
        DELTA_ARTIFACT_S3_SECRET_ACCESS_KEY: served.credentials.secretAccessKey,
        DELTA_ARTIFACT_SWEEP_INTERVAL_MS: '200',
      },
    });
    const steps = ['mkdir out', ...Object.entries(SIZES).map(([path, bytes]) => fillWithA(path, bytes))];
    const artifacts = [{ type: 'file', path: 'out/*.bin', retention_days: KEPT_DAYS }];
    change = await system.change(REPOSITORY, 'leave something', {
      'delta.yaml': configWith({ leave: { steps, artifacts } }),
    });
  }, 180_000);

  afterAll(async () => {
    await system.finish();
    await bucket.drop();
    await served.end();
  }, 120_000);

  const download = async (digest: string) =>
    fetch(`${system.mesh.gatewayUrl}/api/v1/runs/${change.runId}/jobs/leave/artifacts/${encodeURIComponent(digest)}`, {
      headers: { authorization: `Bearer ${system.mesh.adminToken}` },
    });
  const keysOfArtifacts = async () => (await bucket.keys()).filter((key) => key.startsWith('artifacts/'));

  it('lie there once the job is over, whatever way they took, and come back as they were', async () => {
    const view = await system.settled(change.runId);
    expect(view.outcome).toBe('succeeded');
    const recorded = view.jobs.flatMap(({ attempts }) => attempts.flatMap(({ artifacts }) => artifacts));
    expect(Object.fromEntries(recorded.map(({ name, sizeBytes }) => [name, sizeBytes]))).toEqual(SIZES);
    expect((await keysOfArtifacts()).map((key) => `sha256:${key.split('/').at(-1)}`).toSorted()).toEqual(
      Object.values(SIZES).map(digestOfA).toSorted(),
    );
    for (const bytes of Object.values(SIZES)) {
      const given = Buffer.from(await (await download(digestOfA(bytes))).arrayBuffer());
      expect(given.equals(Buffer.alloc(bytes, 'a'))).toBe(true);
    }
  }, 180_000);

  it('a cache goes straight there in chunks, and comes back to the next job that asks for it', async () => {
    const steps = ['[ -d kept ] || { mkdir kept; head -c 20M /dev/urandom > kept/large; }; cksum kept/large'];
    const caches = [{ type: 'build', key: 'kept-1', paths: ['kept'] }];
    const transferred = async (title: string) => {
      const files = { 'delta.yaml': configWith({ keep: { steps, caches } }), [`${title}.txt`]: title };
      const { runId } = await system.change(REPOSITORY, title, files);
      const view = await system.settled(runId);
      const result: CacheResult | undefined = view.jobs[0]?.attempts[0]?.report?.caches[0];
      return { result, printed: /^\d+ \d+ kept\/large$/m.exec(await system.api.log(runId, 'keep'))?.[0] };
    };
    const first = await transferred('first');
    expect(first.result).toMatchObject({ hit: false, saved: { domain: 'trusted' } });
    expect((await bucket.keys()).filter((key) => key.startsWith('caches/sha256/'))).toHaveLength(2);
    const second = await transferred('second');
    expect(second.result).toMatchObject({ hit: true, restored: { sizeBytes: first.result?.saved?.sizeBytes } });
    expect(second.printed).toBe(first.printed);
  }, 180_000);

  it('are gone when their days are over: first said so in the log, then out of the bucket, and by name to who asks', async () => {
    await system.settled(change.runId);
    const byDays = async (days: number) =>
      system.ask('UPDATE artifact SET recorded_at_ms = recorded_at_ms + $1', [days * 86_400_000]);
    await byDays(-KEPT_DAYS - 1);
    await eventually('nothing of them lies there any more', async () => (await keysOfArtifacts()).length === 0);
    await byDays(KEPT_DAYS + 1);
    const events = await system.ask<{ data: { policy: string; objects: { digest: string; sizeBytes: number }[] } }>(
      `SELECT data FROM event_json WHERE type = 'artifact.expired' ORDER BY position`,
    );
    const removed = events.flatMap(({ data }) => data.objects.map(({ digest, sizeBytes }) => [digest, sizeBytes]));
    expect(Object.fromEntries(removed)).toEqual(
      Object.fromEntries(Object.values(SIZES).map((bytes) => [digestOfA(bytes), bytes])),
    );
    const refused = await download(digestOfA(1_000));
    expect([refused.status, await refused.json()]).toMatchObject([
      410,
      { error: { code: 'gone', details: { policy: 'retention-days', retentionDays: KEPT_DAYS } } },
    ]);
    // What the system keeps for itself is still there: plans, and what they were made of.
    expect((await bucket.keys()).some((key) => key.startsWith('objects/'))).toBe(true);
  }, 120_000);
});
