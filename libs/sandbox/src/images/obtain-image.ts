import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import {
  checkImage,
  chooseManifest,
  compressionOf,
  describe,
  environmentOfImage,
  readConfig,
  type Descriptor,
  type ImageConfig,
} from './image-documents.ts';
import type { ImageLimits } from './image-limits.ts';
import { ImageRefused, refused } from './image-refused.ts';
import { readDocument, verified, type FoundImage } from './image-source.ts';
import type { ClaimedTree, ImageStore, TreeRecord } from './image-store.ts';
import { unpackInThread } from './unpack-thread.ts';

/** How an image is unpacked, and who hears of it. */
export type Pull = {
  /** What the job calls the image. */
  readonly name: string;
  readonly store: ImageStore;
  readonly limits: ImageLimits;
  readonly sharedByModes: boolean;
  /** Whether it may have what is here because somebody with credentials brought it. */
  readonly isTrusted: boolean;
  readonly signal: AbortSignal;
  readonly say: (text: string) => Promise<void>;
};

const DOWNLOADS_AT_A_TIME = 3;
const TRIES = 3;
const RETRY_AFTER_MS = 1_000;

export const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MiB`;

/** Identity of a chain of layers: that of the chain before the last one, and of that one. */
export const chainOf = (diffIds: readonly string[]): string =>
  diffIds.reduce((chain, diffId) => `sha256:${createHash('sha256').update(`${chain} ${diffId}`).digest('hex')}`);

/** An image of one platform: what its layers are and what its configuration says. */
type ReadImage = { readonly layers: readonly Descriptor[]; readonly config: ImageConfig; readonly chain: string };

async function readImage(found: FoundImage, { limits, signal }: Pull): Promise<ReadImage> {
  let described = describe(found.document);
  if (described.kind === 'index') {
    described = describe(await found.manifest(chooseManifest(described.index, process.arch), signal));
  }
  if (described.kind === 'index') throw refused('an index leads to a further index');
  const { layers, config: descriptor } = described.manifest;
  const config = readConfig(await readDocument(found, descriptor, signal));
  checkImage(layers, config, process.arch, limits);
  layers.forEach(({ mediaType }) => compressionOf(mediaType));
  return { layers, config, chain: chainOf(config.rootfs.diff_ids) };
}

/** Tries again where the source was at fault; what is wrong with the content is wrong with it the next time as well. */
async function download(
  found: FoundImage,
  layer: Descriptor,
  file: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    let taken = 0;
    try {
      const blob = verified(await found.open(layer, signal), layer, (bytes) => {
        taken += bytes;
        onBytes(bytes);
      });
      return await pipeline(blob, createWriteStream(file, { mode: 0o600 }), { signal });
    } catch (reason) {
      onBytes(-taken);
      const isFinal = reason instanceof ImageRefused && reason.code !== 'image_unavailable';
      if (isFinal || signal.aborted || attempt === TRIES) throw reason;
      await delay(RETRY_AFTER_MS * attempt, undefined, { signal });
    }
  }
}

/** A pull of less is over before anybody reads how far it is. */
const PROGRESS_FROM_BYTES = 32 * 1024 ** 2;

/** Says how far a pull is, at most ten times. */
function progressOf(total: number, say: Pull['say']): (bytes: number) => void {
  let [got, tenths] = [0, 0];
  return (bytes) => {
    got += bytes;
    const now = Math.floor((got * 10) / Math.max(1, total));
    if (now <= tenths || total < PROGRESS_FROM_BYTES) return;
    tenths = now;
    // Whoever cannot be told finds out with the next output of the job.
    void say(`pulling: ${mebibytes(got)} of ${mebibytes(total)}`).catch(() => undefined);
  };
}

/** All layers, a few at a time; none is looked into before all are here and are what they should be. */
async function downloadAll(found: FoundImage, layers: readonly Descriptor[], blobs: string, pull: Pull): Promise<void> {
  const progress = progressOf(
    layers.reduce((sum, { size }) => sum + size, 0),
    pull.say,
  );
  const failing = new AbortController();
  const signal = AbortSignal.any([pull.signal, failing.signal]);
  const waiting = [...layers.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [ordinal, layer] = next;
      await download(found, layer, join(blobs, String(ordinal)), signal, progress);
    }
  };
  const workers = Array.from({ length: DOWNLOADS_AT_A_TIME }, work);
  try {
    await Promise.all(workers);
  } finally {
    failing.abort();
    await Promise.allSettled(workers);
  }
}

/** What is here and verified becomes a tree. */
async function unpackAll(
  { layers, config }: ReadImage,
  { rootfs, blobs }: { readonly rootfs: string; readonly blobs: string },
  { limits, sharedByModes, signal }: Pull,
): Promise<TreeRecord> {
  const stored = layers.map(({ mediaType, size }, ordinal) => ({
    file: join(blobs, String(ordinal)),
    storedBytes: size,
    compression: compressionOf(mediaType),
    diffId: config.rootfs.diff_ids[ordinal] ?? '',
  }));
  return unpackInThread({ layers: stored, rootfs, limits, sharedByModes }, signal);
}

/** What a job gets of an image: its tree, to be released, and its variables. */
export type ObtainedImage = { readonly tree: ClaimedTree; readonly env: Readonly<Record<string, string>> };

/**
 * Takes into use the tree of an image that a source has, pulled and unpacked first where it was never here. Knowing what an image
 * is made of is not having it: for untrusted code a tree counts as here only if anybody was given its layers.
 *
 * @throws ImageRefused, or what the host refuses (a full disk)
 */
export async function obtainImage(found: FoundImage, pull: Pull): Promise<ObtainedImage> {
  const { store } = pull;
  const claim = async (chain: string): Promise<ClaimedTree | null> =>
    pull.isTrusted || store.isOpen(chain) ? store.claim(chain) : null;
  const recorded = await store.recorded(found.digest);
  const kept = recorded === null ? null : await claim(recorded.chain);
  if (recorded !== null && kept !== null) return { tree: kept, env: recorded.env };
  const image = await readImage(found, pull);
  const env = environmentOfImage(image.config);
  const tree = (await claim(image.chain)) ?? (await unpackAnew(found, image, pull));
  await store.record(found.digest, { chain: image.chain, env, name: pull.name });
  return { tree, env };
}

async function unpackAnew(found: FoundImage, image: ReadImage, pull: Pull): Promise<ClaimedTree> {
  const { layers, chain } = image;
  const bytes = layers.reduce((sum, { size }) => sum + size, 0);
  await pull.say(`pulling ${layers.length} layers, ${mebibytes(bytes)}`);
  const tree = await pull.store.add(chain, async (place) => {
    await downloadAll(found, layers, place.blobs, pull);
    return unpackAll(image, place, pull);
  });
  if (found.isOpen) await pull.store.markOpen(chain);
  await pull.say(`unpacked ${tree.record.entries} entries, ${mebibytes(tree.record.bytes)}`);
  await pull.store.sweep();
  return tree;
}
