import { randomBytes } from 'node:crypto';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Writable } from 'node:stream';
import type { Digest } from '@delta-ci/contracts';
import { digestOf, FileArtifactStore, openArtifactStore, type ContentStore } from '@delta-ci/artifact-store';
import { makeRawBucket } from '../../../test/support/infra/raw-objects.ts';
import { ensureObjectServer, openCache, startObjectServer } from '../../bootstrap/index.mjs';
import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { median } from '../report/percentile.ts';

const OBJECT_MIB = 32;
const OBJECTS = 8;
const MIB = 1024 * 1024;
const FRESH = 'each flushed, or as durable as the server makes it';

/** What one way of keeping objects does with one: by its place in the row. */
interface Way {
  readonly put: (at: number, bytes: Buffer) => Promise<unknown>;
  readonly get: (at: number) => Promise<unknown>;
}

export const artifacts: Measure = {
  name: 'artifacts',
  what: `objects of ${OBJECT_MIB} MiB into the store and back, verified: on files (raw: a file, flushed) and in S3 (raw: Amazon's client)`,
  run: async (bench) => {
    const objects = Array.from({ length: amount(bench, OBJECTS) }, () => randomBytes(OBJECT_MIB * MIB));
    return [...(await onFiles(bench, objects)), ...(await inS3(bench, objects))];
  },
};

async function onFiles({ scene, say }: Bench, objects: readonly Buffer[]): Promise<Figure[]> {
  say(`${objects.length} objects on files`);
  const directory = await scene.directory('raw');
  const path = (at: number): string => join(directory, String(at));
  const raw: Way = {
    put: async (at, bytes) => {
      await writeFile(path(at), bytes);
      const file = await open(path(at));
      await file.sync();
      await file.close();
    },
    get: async (at) => readFile(path(at)),
  };
  const { artifacts: store } = new FileArtifactStore(await scene.directory('artifacts'));
  return beside('files', 'a file', objects, raw, wayOf(store, objects.map(digestOf)));
}

async function inS3({ scene, say }: Bench, objects: readonly Buffer[]): Promise<Figure[]> {
  const cacheDir = await openCache({ repoRoot: join(import.meta.dirname, '../../..') });
  const programs = await ensureObjectServer({ cacheDir, say });
  if (programs.root === null) {
    say(`left out in S3: no server, ${programs.reason}`);
    return [];
  }
  say(`${objects.length} objects in S3, on Ceph ${programs.version}`);
  const { root } = programs;
  const dir = await scene.directory('s3');
  const server = await scene.open(
    async () => startObjectServer({ root, dir }),
    async (started) => started.stop(),
  );
  const { endpoint, accessKeyId, secretAccessKey } = server;
  const bucket = await scene.open(
    async () => makeRawBucket(server, 'bench'),
    (opened) => opened.end(),
  );
  const raw: Way = {
    put: async (at, bytes) => bucket.put(`raw/${at}`, bytes),
    get: async (at) => bucket.get(`raw/${at}`),
  };
  const { artifacts: store } = await openArtifactStore({
    artifactDir: await scene.directory('logs'),
    artifactStore: 's3',
    artifactS3Bucket: 'bench',
    artifactS3Region: 'us-east-1',
    artifactS3Endpoint: endpoint,
    artifactS3PathStyle: true,
    artifactS3AccessKeyId: { reveal: () => accessKeyId },
    artifactS3SecretAccessKey: { reveal: () => secretAccessKey },
  });
  return beside('s3', "Amazon's client, one request", objects, raw, wayOf(store, objects.map(digestOf)));
}

/** Who sends and who asks knows the digest. */
const wayOf = (store: ContentStore, digests: readonly Digest[]): Way => ({
  put: async (at, bytes) => store.put(bytes, { expected: digestAt(digests, at), sizeBytesMax: bytes.byteLength }),
  get: async (at) => {
    const opened = await store.open(digestAt(digests, at));
    if (opened === null) throw new Error('what was stored is not there');
    await pipeline(opened.stream, new Writable({ write: (_chunk, _encoding, done) => done() }));
  },
});

function digestAt(digests: readonly Digest[], at: number): Digest {
  const digest = digests[at];
  if (digest === undefined) throw new Error(`there is no object ${at}`);
  return digest;
}

/** Both ways in turns, one object after the other, so that what else the machine does hits both. */
async function beside(where: string, what: string, objects: readonly Buffer[], raw: Way, ours: Way): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, note, act] of [
    ['put', FRESH, 'put'],
    ['got', 'read as a stream, its digest checked', 'get'],
  ] as const) {
    const [rawMs, oursMs, cpuMs]: [number[], number[], number[]] = [[], [], []];
    for (const [at, bytes] of objects.entries()) {
      rawMs.push(await timed(async () => raw[act](at, bytes)));
      const before = process.cpuUsage();
      oursMs.push(await timed(async () => ours[act](at, bytes)));
      const { user, system } = process.cpuUsage(before);
      cpuMs.push((user + system) / 1_000);
    }
    const rate = (ms: readonly number[]): number => OBJECT_MIB / (median(ms) / 1_000);
    figures.push(
      {
        name: `artifacts.${where}-${name}-mib`,
        value: rate(oursMs),
        unit: '/s',
        raw: { what, value: rate(rawMs) },
        note,
      },
      {
        name: `artifacts.${where}-${name}-cpu`,
        value: median(cpuMs) / OBJECT_MIB,
        unit: 'ms',
        note: 'processor time of ours for each MiB, hashing included',
      },
    );
  }
  return figures;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
