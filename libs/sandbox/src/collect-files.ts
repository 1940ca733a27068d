import { constants } from 'node:fs';
import { open, opendir, type FileHandle } from 'node:fs/promises';
import { errorCodeOf } from './error-code.ts';
import { compileGlob, type Glob } from './glob.ts';

/** How much may be collected at once. */
export type CollectCaps = {
  readonly files: number;
  readonly fileBytes: number;
  readonly totalBytes: number;
  /** Directories and files looked at, matching or not: a job can make more of them than anybody wants to walk. */
  readonly entries: number;
};

/** Ten thousand files and a gibibyte hold any report we have seen; a million entries are walked in seconds. */
export const DEFAULT_COLLECT_CAPS: CollectCaps = {
  files: 10_000,
  fileBytes: 1024 ** 3,
  totalBytes: 1024 ** 3,
  entries: 1_000_000,
};

export type CollectedFile = {
  /** Relative to the workspace, `/` between parts. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly executable: boolean;
  /** The content, no more than `sizeBytes` of it; to be read before `take` settles. */
  readonly content: AsyncIterable<Buffer>;
};

export type NotCollectedReason =
  | 'symlink'
  | 'not-a-file'
  | 'unreadable'
  | 'too-deep'
  | 'name-not-utf8'
  | 'file-bytes-cap'
  | 'total-bytes-cap'
  | 'files-cap'
  | 'entries-cap'
  | 'glob-refused';

export type CollectReport = {
  readonly files: number;
  readonly totalBytes: number;
  /**
   * What matched and was left behind, with the reason; capped like the files, but that a cap bit is said in any case: the
   * first such thing is named behind all others.
   */
  readonly notCollected: readonly { readonly path: string; readonly reason: NotCollectedReason }[];
};

/** Deeper than any real tree, shallower than our own stack and the kernel's path limit. */
const DEPTH_MAX = 200;
const CHUNK_BYTES = 64 * 1024;

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** NONBLOCK: opening a pipe nobody writes to would wait for ever. NOCTTY: nothing in there becomes our terminal. */
const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * `name` in an open directory, whatever has become of the path that led there. Through the descriptor's own entry in
 * /proc no part of the way is looked up again, so swapping a parent for a link leads nowhere.
 */
const beneath = (directory: FileHandle, name: string): string => `/proc/self/fd/${directory.fd}/${name}`;

/** What opening with the flags above says of links, and of sockets and devices without a driver. */
const REASON_BY_CODE: ReadonlyMap<string, NotCollectedReason> = new Map([
  ['ELOOP', 'symlink'],
  ['ENOTDIR', 'symlink'],
  ['ENXIO', 'not-a-file'],
]);

class Collection {
  files = 0;
  totalBytes = 0;
  entries = 0;
  readonly notCollected: { path: string; reason: NotCollectedReason }[] = [];
  private capped = false;
  private readonly globs: readonly Glob[];
  private readonly caps: CollectCaps;
  private readonly take: (file: CollectedFile) => Promise<void>;

  constructor(globs: readonly Glob[], caps: CollectCaps, take: (file: CollectedFile) => Promise<void>) {
    this.globs = globs;
    this.caps = caps;
    this.take = take;
  }

  refuse(path: string, reason: NotCollectedReason): void {
    const isFirstByCap = reason.endsWith('-cap') && !this.capped;
    this.capped ||= isFirstByCap;
    if (isFirstByCap || this.notCollected.length < this.caps.files) this.notCollected.push({ path, reason });
  }

  private wants(path: string): boolean {
    return this.globs.some(({ matches }) => matches(path));
  }

  /** Most of a workspace, with all that was installed into it, has nothing to do with what is wanted. */
  private leadsOn(folder: string): boolean {
    return this.globs.some(({ mayMatchBelow }) => mayMatchBelow(folder));
  }

  /** A job may have closed its own workspace to everybody. */
  async walkRoot(root: string): Promise<void> {
    const directory = await this.openOr('.', open(root, OPEN_DIRECTORY));
    if (directory !== null) await this.walk(directory, '', 0);
  }

  /** Walks an open directory and closes it. `prefix` is its path with a trailing slash, or empty. */
  async walk(directory: FileHandle, prefix: string, depth: number): Promise<void> {
    try {
      const names = await this.list(directory, prefix);
      for (const { name, isDirectory } of names) {
        const path = `${prefix}${name}`;
        if (name.toLowerCase() === '.git') continue;
        if (isDirectory && this.leadsOn(path)) await this.descend(directory, name, path, depth);
        else if (!isDirectory && this.wants(path)) await this.collect(directory, name, path);
      }
    } finally {
      await directory.close();
    }
  }

  private async list(directory: FileHandle, prefix: string) {
    const names: { name: string; isDirectory: boolean }[] = [];
    for await (const entry of await opendir(beneath(directory, '.'))) {
      this.entries += 1;
      if (this.entries > this.caps.entries) {
        this.refuse(prefix, 'entries-cap');
        break;
      }
      if (entry.name.includes('\uFFFD')) this.refuse(`${prefix}${entry.name}`, 'name-not-utf8');
      else names.push({ name: entry.name, isDirectory: entry.isDirectory() });
    }
    return names.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private async descend(parent: FileHandle, name: string, path: string, depth: number): Promise<void> {
    if (this.entries > this.caps.entries) return;
    if (depth >= DEPTH_MAX) return this.refuse(path, 'too-deep');
    const directory = await this.openOr(path, open(beneath(parent, name), OPEN_DIRECTORY));
    if (directory !== null) await this.walk(directory, `${path}/`, depth + 1);
  }

  private async openOr(path: string, opening: Promise<FileHandle>): Promise<FileHandle | null> {
    try {
      return await opening;
    } catch (reason) {
      this.refuse(path, REASON_BY_CODE.get(errorCodeOf(reason) ?? '') ?? 'unreadable');
      return null;
    }
  }

  private async collect(directory: FileHandle, name: string, path: string): Promise<void> {
    const handle = await this.openOr(path, open(beneath(directory, name), OPEN_FILE));
    if (handle === null) return;
    try {
      const stat = await handle.stat();
      const refused = stat.isFile() ? this.capThatBites(stat.size) : 'not-a-file';
      if (refused !== null) return this.refuse(path, refused);
      this.files += 1;
      this.totalBytes += stat.size;
      const executable = (stat.mode & 0o100) !== 0;
      await this.take({ path, sizeBytes: stat.size, executable, content: readUpTo(handle, stat.size) });
    } finally {
      await handle.close();
    }
  }

  private capThatBites(sizeBytes: number): NotCollectedReason | null {
    if (sizeBytes > this.caps.fileBytes) return 'file-bytes-cap';
    if (this.files >= this.caps.files) return 'files-cap';
    return this.totalBytes + sizeBytes > this.caps.totalBytes ? 'total-bytes-cap' : null;
  }
}

/** The first `sizeBytes` of a file; what was appended since it was measured is not ours to ship. */
async function* readUpTo(handle: FileHandle, sizeBytes: number): AsyncGenerator<Buffer> {
  for (let position = 0; position < sizeBytes;) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/**
 * Hands the files of `root` that match one of `globs` to `take`, one at a time and in order of path. `root` is the only
 * path that is trusted; below it links are not followed, not even where a parent turns into one during the walk.
 */
export async function collectFiles(
  root: string,
  globs: readonly string[],
  caps: CollectCaps,
  take: (file: CollectedFile) => Promise<void>,
): Promise<CollectReport> {
  const compiled = globs.map((pattern) => ({ pattern, glob: compileGlob(pattern) }));
  const usable = compiled.map(({ glob }) => glob).filter((glob) => glob !== null);
  const collection = new Collection(usable, caps, take);
  for (const { pattern, glob } of compiled) if (glob === null) collection.refuse(pattern, 'glob-refused');
  await collection.walkRoot(root);
  const { files, totalBytes, notCollected } = collection;
  return { files, totalBytes, notCollected };
}
