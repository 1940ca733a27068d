import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  createReadStream,
  fchmodSync,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isNativeError } from 'node:util/types';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import type { Compression } from './image-documents.ts';
import { RATIO_FREE_BYTES, type ImageLimits } from './image-limits.ts';
import { ImageRefused, refused } from './image-refused.ts';
import type { LayerEntry, LayerTree, TreeStep } from './layer-tree.ts';

/** A layer whose stored bytes were verified and lie in a file. */
export type StoredLayer = {
  readonly file: string;
  readonly storedBytes: number;
  readonly compression: Compression;
  /** Digest of the archive itself, as the image's configuration has it. */
  readonly diffId: string;
};

/** Where layers are unpacked, and what was unpacked so far. */
export type Unpacking = {
  /** Directory that nobody else can reach. */
  readonly root: string;
  readonly tree: LayerTree;
  readonly limits: ImageLimits;
  /** Whether everybody may write what its owner may write: where every job has a user id of its own. */
  readonly sharedByModes: boolean;
  unpackedBytes: number;
  entries: number;
};

const decompressor = (compression: Compression): Transform => {
  if (compression === 'gzip') return createGunzip();
  if (compression === 'zstd') return createZstdDecompress();
  return new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) });
};

/** Counts and digests an archive on its way to the parser, and cuts it off where it grows out of bounds. */
function meter(layer: StoredLayer, unpacking: Unpacking): Transform {
  const hash = createHash('sha256');
  const { limits } = unpacking;
  let bytes = 0;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      unpacking.unpackedBytes += chunk.length;
      hash.update(chunk);
      if (unpacking.unpackedBytes > limits.unpackedBytes) {
        done(refused(`the image unpacks to more than ${limits.unpackedBytes} bytes`));
      } else if (bytes > RATIO_FREE_BYTES && bytes > layer.storedBytes * limits.ratio) {
        done(refused(`a layer unpacks to more than ${limits.ratio} times its size`));
      } else done(null, chunk);
    },
    flush: (done) => {
      const digest = `sha256:${hash.digest('hex')}`;
      done(digest === layer.diffId ? null : refused(`a layer unpacks to ${digest} and not to ${layer.diffId}`));
    },
  });
}

/**
 * Owner and group are the warden's, and everybody has the rights that the owner has: a job is nobody whom the image knows.
 * Whatever lets a program become somebody else (setuid, setgid) is left out, and so are capabilities, which no mode carries.
 */
function modeFor(mode: number | undefined, kind: 'file' | 'directory', shared: boolean): number {
  const owner = kind === 'directory' ? 0o700 : ((mode ?? 0o644) & 0o700) | 0o400;
  const others = shared ? owner : owner & 0o500;
  return owner | (others >> 3) | (others >> 6);
}

function entryOf({ name, type, linkname }: Header): LayerEntry | null {
  switch (type) {
    case 'file':
    case 'contiguous-file':
      return { kind: 'file', path: name };
    case 'directory':
      return { kind: 'directory', path: name };
    case 'symlink':
    case 'link':
      return { kind: type, path: name, target: linkname ?? '' };
    // Nobody but root could use them, and a sandbox has devices of its own.
    case 'character-device':
    case 'block-device':
    case 'fifo':
      return null;
    default:
      throw refused(`a layer has an entry of a kind that is not unpacked: ${String(type)}`);
  }
}

function carryOut(step: Exclude<TreeStep, { do: 'file' }>, root: string, directoryMode: number): void {
  const at = join(root, step.at);
  if (step.do === 'remove') rmSync(at, { recursive: true, force: true });
  else if (step.do === 'symlink') symlinkSync(step.target, at);
  else if (step.do === 'link') linkSync(join(root, step.to), at);
  else {
    mkdirSync(at, { recursive: true });
    // The mode given to mkdir is less the warden's mask.
    chmodSync(at, directoryMode);
  }
}

/** A disk that is nearly full takes a part and says so only in the count. */
function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
}

/**
 * Synchronous, because an image has tens of thousands of small files and each call costs microseconds. The times of files are
 * kept: interpreters compare them with those of what they compiled.
 */
async function writeFile(
  at: string,
  { mode, mtime }: Header,
  shared: boolean,
  content: AsyncIterable<unknown>,
): Promise<void> {
  const fd = openSync(at, 'wx', 0o600);
  try {
    for await (const chunk of content) writeAll(fd, chunk as Buffer);
    fchmodSync(fd, modeFor(mode, 'file', shared));
    const time = mtime ?? new Date(0);
    futimesSync(fd, time, time);
  } finally {
    closeSync(fd);
  }
}

async function unpackEntry(header: Header, content: AsyncIterable<unknown>, unpacking: Unpacking): Promise<void> {
  const { root, tree, limits, sharedByModes } = unpacking;
  const entry = entryOf(header);
  const steps = entry === null ? [] : tree.place(entry);
  // Directories that a path implies are made as well: one long path stands for a thousand of them.
  unpacking.entries += Math.max(1, steps.filter((step) => step.do === 'directory').length);
  if (unpacking.entries > limits.entries) throw refused(`the image has more than ${limits.entries} entries`);
  const directoryMode = modeFor(undefined, 'directory', sharedByModes);
  for (const step of steps) {
    if (step.do === 'file') await writeFile(join(root, step.at), header, sharedByModes, content);
    else carryOut(step, root, directoryMode);
  }
}

/** Whether it is the archive that is at fault: its parser and the decompressors have codes of their own, or none. */
const isOfArchive = (reason: unknown): reason is Error =>
  isNativeError(reason) && (!('code' in reason) || /^(?:Z_|ZSTD_|ERR_)/.test(String(reason.code)));

/**
 * Unpacks one layer over those before it.
 *
 * @throws ImageRefused for an archive that is damaged, hostile or too large; the root is then half done and worth nothing
 */
export async function applyLayer(layer: StoredLayer, unpacking: Unpacking): Promise<void> {
  unpacking.tree.nextLayer();
  const archive = extract();
  const feeding = pipeline(
    createReadStream(layer.file),
    decompressor(layer.compression),
    meter(layer, unpacking),
    archive,
  );
  // Awaited below; what ends the one ends the other.
  feeding.catch(() => undefined);
  try {
    for await (const content of archive) {
      await unpackEntry(content.header, content, unpacking);
      content.resume();
    }
    await feeding;
  } catch (reason) {
    const first = await feeding.then(
      () => reason,
      (error: unknown) => (reason instanceof ImageRefused ? reason : error),
    );
    if (first instanceof ImageRefused || !isOfArchive(first)) throw first;
    throw refused(`a layer is damaged: ${first.message}`);
  }
}
