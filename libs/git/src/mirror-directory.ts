import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { done, type GitResult } from './git-error.ts';
import type { Git } from './git.ts';
import { forgetHolder, isGone, newHolder, readHolder, writeHolder } from './lock-file.ts';
import { hasErrorCode } from './system-error.ts';

export type ObjectFormat = 'sha1' | 'sha256';

/** Lock files git leaves behind when it is killed; whoever holds the mirror's lock may remove them. */
const LEFTOVER = /(?:\.lock|^tmp_(?:pack|idx|rev|obj|graph)_\w+|^\.tmp-\d+-.*)$/u;

async function sizeOrZero(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    // Gone between listing and looking, as temporary packs are.
    return 0;
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Bytes of a repository's packs, finished and arriving; 0 where there is none. */
export async function packBytesOf(gitDir: string): Promise<number> {
  const packs = join(gitDir, 'objects', 'pack');
  const sizes = await Promise.all((await namesIn(packs)).map((name) => sizeOrZero(join(packs, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * One mirror on disk: `<dir>/<key>/` with the bare repository, markers of who uses it, and the time of its last use
 * (the modification time of `last-used`). The lock stands beside it, so that it outlives the directory.
 */
export class MirrorDirectory {
  readonly key: string;
  readonly path: string;
  readonly gitDir: string;
  readonly lockPath: string;

  constructor(cacheDirectory: string, key: string) {
    this.key = key;
    this.path = join(cacheDirectory, key);
    this.gitDir = join(this.path, 'repository.git');
    this.lockPath = join(cacheDirectory, `${key}.lock`);
  }

  /**
   * Makes what is missing. An existing repository that git does not recognise is thrown away first.
   * @param recognised git did so before: as long as the repository stands, it is not started to be asked again
   */
  async prepare(git: Git, format: ObjectFormat, recognised: boolean): Promise<GitResult<void>> {
    await mkdir(join(this.path, 'users'), { recursive: true });
    if (recognised && (await this.stands())) return done(undefined);
    const known = await git.line({ command: 'rev-parse', flags: ['--is-bare-repository'] }, { gitDir: this.gitDir });
    if (known.ok && known.value === 'true') return done(undefined);
    await this.discard();
    const flags = ['--bare', '--quiet', '--template=', `--object-format=${format}`];
    const made = await git.run({ command: 'init', flags, operands: [this.gitDir] });
    return made.ok ? done(undefined) : made;
  }

  /** Whether there is the file without which git takes nothing for a repository. */
  private async stands(): Promise<boolean> {
    return (await sizeOrZero(join(this.gitDir, 'HEAD'))) > 0;
  }

  /** Throws the repository away, by a rename first: nobody ever sees half of one. */
  async discard(): Promise<void> {
    await this.moveAway(this.gitDir);
  }

  /** Throws everything about this mirror away. */
  async remove(): Promise<void> {
    await this.moveAway(this.path);
  }

  /** Says that this process uses the mirror, until what is returned is called. */
  async enter(): Promise<() => Promise<void>> {
    const holder = newHolder();
    const marker = join(this.path, 'users', holder.token);
    await writeFile(marker, writeHolder(holder));
    await this.touch();
    return async () => {
      await rm(marker, { force: true });
      forgetHolder(holder);
    };
  }

  /** Whether anybody uses the mirror now. Markers of processes that died are removed. */
  async isInUse(): Promise<boolean> {
    let used = false;
    for (const name of await namesIn(join(this.path, 'users'))) {
      const marker = join(this.path, 'users', name);
      if (await this.isLivingMarker(marker)) used = true;
      else await rm(marker, { force: true });
    }
    return used;
  }

  async lastUsedMs(): Promise<number> {
    try {
      return (await stat(join(this.path, 'last-used'))).mtimeMs;
    } catch {
      // Never entered: the first to go.
      return 0;
    }
  }

  /** Bytes of packs, finished and arriving: all but a few kilobytes of a mirror. */
  async packBytes(): Promise<number> {
    return packBytesOf(this.gitDir);
  }

  async packCount(): Promise<number> {
    return (await namesIn(join(this.gitDir, 'objects', 'pack'))).filter((name) => name.endsWith('.pack')).length;
  }

  /** Refs that are files of their own under a prefix such as `refs/x/`. */
  async looseRefCount(prefix: string): Promise<number> {
    return (await namesIn(join(this.gitDir, prefix))).length;
  }

  /** Removes what a killed git left: lock files, which would refuse every later fetch, and half-arrived packs. */
  async sweepLeftovers(): Promise<void> {
    const places = [this.gitDir, join(this.gitDir, 'objects', 'pack')];
    for (const place of places) {
      for (const name of await namesIn(place)) if (LEFTOVER.test(name)) await rm(join(place, name), { force: true });
    }
    const refs = join(this.gitDir, 'refs');
    for (const name of await readdir(refs, { recursive: true })) {
      if (name.endsWith('.lock')) await rm(join(refs, name), { force: true });
    }
  }

  private async isLivingMarker(marker: string): Promise<boolean> {
    try {
      const [text, facts] = await Promise.all([readFile(marker, 'utf8'), stat(marker)]);
      const holder = readHolder(text);
      return holder !== undefined && !isGone(holder, facts.mtimeMs, Date.now());
    } catch {
      // Its owner has just removed it.
      return false;
    }
  }

  private async touch(): Promise<void> {
    const path = join(this.path, 'last-used');
    await writeFile(path, '', { flag: 'a' });
    const now = new Date();
    await utimes(path, now, now);
  }

  private async moveAway(path: string): Promise<void> {
    const grave = join(this.path, '..', `.discarded-${randomUUID()}`);
    try {
      await rename(path, grave);
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return;
      throw error;
    }
    await rm(grave, { recursive: true, force: true });
  }
}

/** The directory name of a remote's mirror: one per URL and hash, and nothing of the URL in it. */
export function mirrorKey(url: string, format: ObjectFormat): string {
  return createHash('sha256').update(`${format} ${url}`).digest('hex').slice(0, 40);
}

/** The keys of all mirrors in a cache directory. */
export async function mirrorKeysIn(cacheDirectory: string): Promise<string[]> {
  return (await namesIn(cacheDirectory)).filter((name) => /^[0-9a-f]{40}$/u.test(name));
}
