import { setImmediate } from 'node:timers/promises';
import type { BlobAnswer } from './blobs.ts';
import { done, failed, type GitResult } from './git-error.ts';
import type { ChangedFile } from './raw-diff.ts';
import type { ReadOptions, RepositoryReader } from './repository-reader.ts';
import { carriedEntries, inOrder } from './carried-entries.ts';
import type { TreeEntry } from './tree-listing.ts';

/** A commit's files, and the texts of some of them. */
export interface Snapshot {
  readonly entries: readonly TreeEntry[];
  /** By path. What is too large, or not UTF-8, is missing. */
  readonly contents: ReadonlyMap<string, string>;
}

/** What somebody wants of a commit besides its listing. */
export interface SnapshotReading {
  /** Paths of the entries whose contents are wanted; depends on paths and types alone. */
  readonly wanted: (entries: readonly TreeEntry[]) => readonly string[];
  /** What is kept of a wanted entry's text; depends on path, type and text alone. */
  readonly kept: (entry: TreeEntry, text: string) => string;
}

/** Manifests are small, the largest lockfiles have a few MiB: what is larger counts as unreadable. */
const CAPS = { maxBlobBytes: 16 * 1_024 ** 2, maxTotalBytes: 256 * 1_024 ** 2 };

/** What is kept of texts takes its time, and strangers decide how many there are: others have a turn in between. */
const UNINTERRUPTED_MS = 20;

/** What a snapshot was made of, for the one that follows it. */
interface Origin {
  /** Paths of all that was wanted, whether or not it could be read. */
  readonly wanted: ReadonlySet<string>;
  /** Bytes of each text as it was read. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly totalBytes: number;
  /** False when something was left out because all together was too much: then what follows is read anew. */
  readonly whole: boolean;
}

interface Texts extends Omit<Origin, 'wanted'> {
  readonly contents: ReadonlyMap<string, string>;
}

/** Reads commits the way somebody wants them, each from git or from the one before it. */
export class SnapshotReader {
  readonly #reader: RepositoryReader;
  readonly #reading: SnapshotReading;
  readonly #origins = new WeakMap<Snapshot, Origin>();

  constructor(reader: RepositoryReader, reading: SnapshotReading) {
    this.#reader = reader;
    this.#reading = reading;
  }

  /** A commit or tree: one process that lists it, and the contents from those that stay. Entries are ordered by path. */
  async read(treeish: string, options: ReadOptions = {}): Promise<GitResult<Snapshot>> {
    const listed = await this.#reader.listTree(treeish, options);
    if (!listed.ok) return listed;
    const entries = inOrder(listed.value);
    const wanted = new Set(this.#reading.wanted(entries));
    const files = entries.filter(({ path }) => wanted.has(path));
    const texts = await this.#textsOf(files, options);
    return texts.ok ? done(this.#made(entries, { ...texts.value, wanted })) : texts;
  }

  /**
   * The commit that `changes` lead to: equal to what `read` gives, for the price of the changes alone. `before` has to
   * come from this reader.
   */
  async readNext(
    before: Snapshot,
    commit: string,
    changes: readonly ChangedFile[],
    options: ReadOptions = {},
  ): Promise<GitResult<Snapshot>> {
    const origin = this.#origins.get(before);
    const carried = origin?.whole === true ? carriedEntries(before.entries, changes) : null;
    if (origin === undefined || carried === null) return this.read(commit, options);
    const { entries, changed, gone } = carried;
    const sameListing = changes.every(({ status }) => status === 'M');
    const wanted = sameListing ? origin.wanted : new Set(this.#reading.wanted(entries));
    const isNew = ({ path }: TreeEntry): boolean => wanted.has(path) && (gone.has(path) || !origin.wanted.has(path));
    const texts = await this.#textsOf((sameListing ? changed : entries).filter(isNew), options);
    if (!texts.ok) return texts;
    const left = [...origin.sizes.keys()].filter((path) => gone.has(path) || !wanted.has(path));
    const joined = joinTexts({ ...origin, contents: before.contents }, left, texts.value);
    return joined.whole ? done(this.#made(entries, { ...joined, wanted })) : this.read(commit, options);
  }

  #made(entries: readonly TreeEntry[], { contents, ...origin }: Texts & Origin): Snapshot {
    const snapshot = { entries, contents };
    this.#origins.set(snapshot, origin);
    return snapshot;
  }

  async #textsOf(files: readonly TreeEntry[], options: ReadOptions): Promise<GitResult<Texts>> {
    const ids = files.map(({ blobId }) => blobId);
    const blobs = await this.#reader.readBlobs(ids, CAPS, options);
    if (!blobs.ok) return blobs;
    const contents = new Map<string, string>();
    const sizes = new Map<string, number>();
    let sinceMs = performance.now();
    for (const [at, blob] of blobs.value.entries()) {
      const file = files[at];
      if (file === undefined || blob.kind !== 'content') continue;
      const text = textOf(blob.content);
      sizes.set(file.path, blob.content.length);
      if (text !== null) contents.set(file.path, this.#reading.kept(file, text));
      if (performance.now() - sinceMs < UNINTERRUPTED_MS) continue;
      await setImmediate();
      if (options.signal?.aborted === true) return failed('git_canceled', 'reading the texts of a commit was canceled');
      sinceMs = performance.now();
    }
    return done({ contents, sizes, totalBytes: sumOf(sizes), whole: !blobs.value.some(isOverTotal) });
  }
}

const isOverTotal = ({ kind }: BlobAnswer): boolean => kind === 'over_total';

function sumOf(sizes: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const size of sizes.values()) sum += size;
  return sum;
}

/** The texts that stayed, and the new ones. Nothing is copied when no wanted file was touched. */
function joinTexts(before: Texts, left: readonly string[], added: Texts): Texts {
  if (left.length === 0 && added.sizes.size === 0) return before;
  const contents = new Map(before.contents);
  const sizes = new Map(before.sizes);
  let totalBytes = before.totalBytes + added.totalBytes;
  for (const path of left) {
    totalBytes -= sizes.get(path) ?? 0;
    contents.delete(path);
    sizes.delete(path);
  }
  for (const [path, text] of added.contents) contents.set(path, text);
  for (const [path, size] of added.sizes) sizes.set(path, size);
  return { contents, sizes, totalBytes, whole: added.whole && totalBytes <= CAPS.maxTotalBytes };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Null for bytes that are not UTF-8. */
function textOf(content: Buffer): string | null {
  try {
    return UTF8.decode(content);
  } catch {
    return null;
  }
}
