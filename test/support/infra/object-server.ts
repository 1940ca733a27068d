import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  PutObjectCommand,
  S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ensureObjectServer, openCache, startObjectServer } from '../../../tools/bootstrap/index.mjs';

/** How a server is reached, and what is needed of it to go there by other means than the store. */
export interface ServedObjects {
  readonly endpoint: string;
  readonly region: string;
  readonly pathStyle: boolean;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly client: S3Client;
  /** A bucket of its own. */
  freshBucket(): Promise<FreshBucket>;
  /** Ends the server, when it is ours. */
  end(): Promise<void>;
}

export interface FreshBucket {
  readonly name: string;
  /** Keys of all objects in it, in order. */
  keys(): Promise<string[]>;
  /** Puts these bytes in an object's place; null removes it. */
  overwrite(key: string, bytes: Uint8Array | null): Promise<void>;
  /** Deletes it with everything in it. */
  drop(): Promise<void>;
}

const repoRoot = resolve(import.meta.dirname, '../../..');

/**
 * Declares `suite` where an S3 server is to be had: the one that `DELTA_TEST_S3_ENDPOINT` names, or one from packages. Elsewhere
 * one test says by its name why it was not tried: it passes, unless `DELTA_TEST_S3=required`.
 *
 * @param suite gets the server, which runs while its tests do
 */
export async function whereObjectsAreServed(
  subject: string,
  suite: (server: () => Promise<ServedObjects>) => void,
): Promise<void> {
  const source = await sourceOfServer();
  if ('start' in source) {
    describe(`${subject} on ${source.name}`, () => {
      suite(source.start);
    });
    return;
  }
  describe(`${subject} was not tried`, () => {
    it(`skipped: no S3 server, ${source.reason}`, () => {
      expect(process.env['DELTA_TEST_S3']).not.toBe('required');
    });
  });
}

type Source = { readonly name: string; readonly start: () => Promise<ServedObjects> } | { readonly reason: string };

async function sourceOfServer(): Promise<Source> {
  const endpoint = process.env['DELTA_TEST_S3_ENDPOINT'] ?? '';
  if (endpoint !== '') return { name: new URL(endpoint).host, start: () => Promise.resolve(namedServer(endpoint)) };
  const cacheDir = await openCache({ repoRoot });
  const found = await ensureObjectServer({ cacheDir, say: () => undefined });
  if (found.root === null) return { reason: found.reason };
  const { root, version } = found;
  return { name: `Ceph ${version}`, start: async () => startOurs(root) };
}

async function startOurs(root: string): Promise<ServedObjects> {
  const server = await startObjectServer({ root, dir: await mkdtemp(join(tmpdir(), 'delta-objects-')) });
  const { endpoint, accessKeyId, secretAccessKey } = server;
  const place = { endpoint, region: 'us-east-1', pathStyle: true, credentials: { accessKeyId, secretAccessKey } };
  return served(place, async () => server.stop());
}

function namedServer(endpoint: string): ServedObjects {
  const {
    DELTA_TEST_S3_REGION,
    DELTA_TEST_S3_ACCESS_KEY_ID,
    DELTA_TEST_S3_SECRET_ACCESS_KEY,
    DELTA_TEST_S3_PATH_STYLE,
  } = process.env;
  const credentials = {
    accessKeyId: DELTA_TEST_S3_ACCESS_KEY_ID ?? '',
    secretAccessKey: DELTA_TEST_S3_SECRET_ACCESS_KEY ?? '',
  };
  const region = DELTA_TEST_S3_REGION ?? 'us-east-1';
  return served(
    { endpoint, region, pathStyle: DELTA_TEST_S3_PATH_STYLE !== 'false', credentials },
    async () => undefined,
  );
}

type Place = Pick<ServedObjects, 'endpoint' | 'region' | 'pathStyle' | 'credentials'>;

function served(place: Place, endServer: () => Promise<void>): ServedObjects {
  const { endpoint, region, pathStyle, credentials } = place;
  const client = new S3Client({ endpoint, region, forcePathStyle: pathStyle, credentials });
  return {
    ...place,
    client,
    async freshBucket() {
      const name = `delta-test-${randomBytes(8).toString('hex')}`;
      await client.send(new CreateBucketCommand({ Bucket: name }));
      return {
        name,
        keys: async () => keysIn(client, name),
        overwrite: async (key, bytes) => overwrite(client, { Bucket: name, Key: key }, bytes),
        drop: async () => drop(client, name),
      };
    },
    async end() {
      client.destroy();
      await endServer();
    },
  };
}

async function keysIn(client: S3Client, Bucket: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket })) {
    keys.push(...Contents.map(({ Key }) => Key ?? ''));
  }
  return keys;
}

async function overwrite(
  client: S3Client,
  object: { Bucket: string; Key: string },
  bytes: Uint8Array | null,
): Promise<void> {
  const { Bucket, Key } = object;
  if (bytes === null) await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } }));
  else await client.send(new PutObjectCommand({ ...object, Body: bytes }));
}

async function drop(client: S3Client, Bucket: string): Promise<void> {
  const Objects = (await keysIn(client, Bucket)).map((Key) => ({ Key }));
  if (Objects.length > 0) await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  await client.send(new DeleteBucketCommand({ Bucket }));
}
