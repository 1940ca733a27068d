import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  whereObjectsAreServed,
  type FreshBucket,
  type ServedObjects,
} from '../../../../test/support/infra/object-server.ts';
import { S3ArtifactStore } from './s3-artifact-store.ts';

const attempt = { runId: `run_${'7'.repeat(32)}`, jobKey: 'unit', attempt: 1 };
const KEY = `a/prefix/logs/${attempt.runId}/unit/1.log.zst`;
const DAY_MS = 86_400_000;

await whereObjectsAreServed('logs in an S3 bucket', (server) => {
  let served: ServedObjects;
  let bucket: FreshBucket;
  let directory: string;
  /** A service on a host of its own. */
  const open = async () =>
    new S3ArtifactStore(
      { ...served, bucket: bucket.name, prefix: 'a/prefix/' },
      await mkdtemp(join(directory, 'host-')),
    ).logs;

  beforeAll(async () => {
    served = await server();
    bucket = await served.freshBucket();
    directory = await mkdtemp(join(tmpdir(), 'delta-logs-'));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
    await bucket.drop();
    await served.end();
  });

  it('given a log whose attempt is over, when archived, then every host reads it, by byte and by line', async () => {
    const logs = await open();
    const text = 'a line of the log of a job\n'.repeat(40_000);
    for (let at = 0; at < text.length; at += 500_000) {
      await logs.append(attempt, at, Buffer.from(text.slice(at, at + 500_000)));
    }
    const before = await logs.outline(attempt);
    expect(await logs.archive(attempt)).toBe(true);
    expect(await bucket.keys()).toEqual([KEY]);
    for (const each of [logs, await open()]) {
      expect(Buffer.from(await each.read(attempt, 700_000, 300_000)).toString()).toBe(text.slice(700_000, 1_000_000));
      expect(await each.outline(attempt)).toEqual({ ...before, isFinal: true });
      expect(await each.append(attempt, 0, Buffer.from('a line'))).toEqual({ nextOffset: text.length });
      expect(await each.archive(attempt)).toBe(false);
    }
  });

  it('given a log that compresses to more than one part, then it is whole', async () => {
    const logs = await open();
    const large = { ...attempt, attempt: 2 };
    const noise = Array.from({ length: 9 * 32_768 }, (_, at) => createHash('sha256').update(String(at)).digest());
    const bytes = Buffer.concat(noise);
    for (let at = 0; at < bytes.length; at += 1_048_576) {
      await logs.append(large, at, bytes.subarray(at, at + 1_048_576));
    }
    await logs.archive(large);
    const other = await open();
    expect(await other.size(large)).toBe(bytes.length);
    const end = bytes.length - 1_000;
    expect(bytes.subarray(end).equals(await other.read(large, end, 5_000))).toBe(true);
  });

  it('given logs past their time, then they are removed, and reading them gives nothing', async () => {
    const logs = await open();
    expect(await logs.removeOlderThan(Date.now(), DAY_MS)).toBe(0);
    expect(await logs.removeOlderThan(Date.now() + 2 * DAY_MS, DAY_MS)).toBe(2);
    expect([await bucket.keys(), await logs.size(attempt)]).toEqual([[], 0]);
  });
});
