import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, rm, stat } from 'node:fs/promises';
import type { CloneUrl } from '../clone-url.ts';
import { PACK_HEAD_BYTES, treeOfFirstCommit } from '../commit-in-pack.ts';
import type { DownloadedCommit } from '../download-commit.ts';
import { takeLock } from '../lock-file.ts';
import { hasErrorCode } from '../system-error.ts';
import { KeptFiles } from './kept-files.ts';

/** The jobs of one change run within hours of each other. Whose source it is may not want it to lie here for longer. */
const UNUSED_MS_MAX = 24 * 60 * 60_000;

/** For whoever else is downloading the same: after this, a second download costs less than waiting on. */
const OTHERS_MS = 60_000;

/** A commit of a repository, as a runner was told to fetch it. */
export interface WantedPack {
  readonly remote: Pick<CloneUrl, 'url'>;
  /** Full id. */
  readonly commit: string;
  /** Where the pack is put; nothing may be there. */
  readonly packFile: string;
  readonly signal: AbortSignal;
}

/**
 * Packs of single commits as remotes sent them, for the other jobs of the same commit on this host. A pack is given for the same
 * clone URL alone: that a runner was given a lease of the commit says that it may have it. Of several that want one at the
 * same time, one downloads. What is taken is held against the pack's own checksum, and whoever uses it lets git check each
 * object, as with one that just came. Several processes may share a directory.
 */
export class PackCache {
  readonly #files: KeptFiles;

  constructor(dir: string, maxBytes: number) {
    this.#files = new KeptFiles(dir, { maxBytes, unusedMsMax: UNUSED_MS_MAX });
  }

  /**
   * Puts the pack of a commit at `packFile`: the kept one, or else what `download` brings, which is kept.
   * @param download puts it there itself, or answers null and leaves nothing there
   */
  async obtain(wanted: WantedPack, download: () => Promise<DownloadedCommit | null>): Promise<DownloadedCommit | null> {
    const name = nameOf(wanted);
    const kept = await this.#take(name, wanted);
    if (kept !== null) return kept;
    const release = await this.#waitForOthers(name, wanted.signal);
    try {
      return (await this.#take(name, wanted)) ?? (await this.#bring(name, wanted, download));
    } finally {
      await release();
    }
  }

  async #bring(
    name: string,
    { packFile }: WantedPack,
    download: () => Promise<DownloadedCommit | null>,
  ): Promise<DownloadedCommit | null> {
    const downloaded = await download();
    if (downloaded === null) return null;
    const { size } = await stat(packFile);
    await this.#files.keep(name, size, async (arriving) => linkOrCopy(packFile, arriving));
    await this.#files.sweep(Date.now());
    return downloaded;
  }

  /** Null when it is not here. Whatever else goes wrong with it, it comes from the remote. */
  async #take(name: string, { commit, packFile }: WantedPack): Promise<DownloadedCommit | null> {
    try {
      await linkOrCopy(this.#files.pathOf(name), packFile);
    } catch {
      return null;
    }
    try {
      const head = await headOfWholePack(packFile, commit.length === 64 ? 'sha256' : 'sha1');
      if (head !== null) {
        await this.#files.noteUse(name);
        return { tree: treeOfFirstCommit(head, commit) };
      }
      await this.#files.drop(name);
    } catch {
      // As if it were not here.
    }
    await rm(packFile, { force: true });
    return null;
  }

  /** @returns what lets the next one go on. A lock that cannot be had spares nobody a download, and fails nobody. */
  async #waitForOthers(name: string, signal: AbortSignal): Promise<() => Promise<void>> {
    const nothing = async (): Promise<void> => Promise.resolve();
    try {
      await this.#files.makeDirectory();
      const lock = await takeLock(this.#files.lockOf(name), { waitMs: OTHERS_MS, signal });
      return lock.ok ? async () => lock.value().catch(() => undefined) : nothing;
    } catch {
      return nothing;
    }
  }
}

const nameOf = ({ remote, commit }: WantedPack): string =>
  `${createHash('sha256').update(`${remote.url}\n${commit}`).digest('hex')}.pack`;

/** Another name of the same file where that can be: what is in it is never changed. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!hasErrorCode(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP')) throw error;
    await copyFile(from, to);
  }
}

/** How a pack begins; null when it does not end with the checksum of all that is before, as every pack does. */
async function headOfWholePack(file: string, algorithm: 'sha1' | 'sha256'): Promise<Buffer | null> {
  const hash = createHash(algorithm);
  const checksumBytes = algorithm === 'sha1' ? 20 : 32;
  const head: Buffer[] = [];
  let headBytes = 0;
  let last: Buffer = Buffer.alloc(0);
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    if (headBytes < PACK_HEAD_BYTES) head.push(piece);
    headBytes += piece.length;
    const seen = Buffer.concat([last, piece]);
    const end = Math.max(0, seen.length - checksumBytes);
    hash.update(seen.subarray(0, end));
    last = seen.subarray(end);
  }
  return hash.digest().equals(last) ? Buffer.concat(head) : null;
}
