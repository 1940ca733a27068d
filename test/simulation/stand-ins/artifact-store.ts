import { StoreError, digestOf, type PutOptions, type StoredContent } from '@delta-ci/artifact-store';
import { attemptName, type AttemptRef, type Checkpoint, type Digest } from '@delta-ci/contracts';
import { Readable } from 'node:stream';
import { engine, world } from '../engine/present.ts';
import type { StoredArtifacts } from '../network/stored-artifacts.ts';
import { caller } from './pg.ts';

/** Stands in for the artifact store on files: slow, and full or gone at times, but what it took it keeps. */

/** A moment later, on the caller's host; fails when the store does. */
async function reach(): Promise<StoredArtifacts> {
  const { artifacts } = world();
  const host = caller();
  await new Promise<void>((resolve) => {
    engine().after(host.random.between(1, artifacts.slowestMs), host, 'artifact store', resolve);
  });
  if (artifacts.failing) throw new Error('EIO: the artifact store cannot be written');
  return artifacts;
}

class Content {
  readonly direct = null;

  /** Uploads are kept in memory until they are whole. */
  removeAbandoned(): Promise<number> {
    return Promise.resolve(0);
  }

  /** A seed is over before anything is old. */
  async *storedBefore(): AsyncGenerator<readonly Digest[]> {}

  async put(source: Readable | Uint8Array, { expected, sizeBytesMax }: PutOptions): Promise<StoredContent> {
    const bytes = source instanceof Uint8Array ? source : await allOf(source);
    const { objects } = await reach();
    const digest = digestOf(bytes);
    if (bytes.byteLength > sizeBytesMax) throw new StoreError('payload_too_large', 'too large');
    if (expected !== undefined && expected !== digest) throw new StoreError('digest_mismatch', 'another digest');
    objects.set(digest, bytes);
    return { digest, sizeBytes: bytes.byteLength };
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    const { objects } = await reach();
    for (const digest of digests) objects.delete(digest);
  }

  async size(digest: Digest): Promise<number | null> {
    return (await reach()).objects.get(digest)?.byteLength ?? null;
  }

  async read(digest: Digest, _sizeBytesMax: number): Promise<Uint8Array> {
    const bytes = (await reach()).objects.get(digest);
    if (bytes === undefined) throw new StoreError('not_found', `nothing is stored under ${digest}`);
    return bytes;
  }
}

class Logs {
  /** A seed is over before any log is old. */
  removeOlderThan(): Promise<number> {
    return Promise.resolve(0);
  }

  /** Nobody reads logs in a seed: they may as well stay as they are. */
  archive(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async *idleSince(): AsyncGenerator<AttemptRef> {}

  async append(attempt: AttemptRef, offset: number, chunk: Uint8Array): Promise<{ nextOffset: number }> {
    const { logs } = await reach();
    const parts = logs.get(attemptName(attempt)) ?? [];
    const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
    if (offset > size) throw new StoreError('offset_mismatch', 'a gap', { nextOffset: size });
    parts.push(chunk.subarray(Math.max(0, size - offset)));
    logs.set(attemptName(attempt), parts);
    return { nextOffset: Math.max(size, offset + chunk.byteLength) };
  }
}

async function allOf(source: Readable): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of source as AsyncIterable<Uint8Array>) parts.push(part);
  return Buffer.concat(parts);
}

/** Checkpoints beside the artifacts, by position. */
class Checkpoints {
  async put(checkpoint: Checkpoint): Promise<void> {
    (await reach()).checkpoints.push(checkpoint);
  }
}

export class FileArtifactStore {
  readonly checkpoints = new Checkpoints();
  readonly content = new Content();
  readonly artifacts = new Content();
  readonly caches = new Content();
  readonly logs = new Logs();

  check(): Promise<void> {
    return Promise.resolve();
  }
}
