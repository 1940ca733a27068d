import { mkdir } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { AddressPolicy, ResolveHost } from './address-policy.ts';
import { parseCloneUrl, type CloneUrl, type Credential } from './clone-url.ts';
import { done, type GitResult } from './git-error.ts';
import type { Git } from './git.ts';
import { DEFAULT_PROTOCOLS, type Protocol } from './hygiene.ts';
import { takeLock } from './lock-file.ts';
import { MirrorDirectory, mirrorKey, mirrorKeysIn, type ObjectFormat } from './mirror-directory.ts';
import { chooseEvictions, type MirrorFacts } from './mirror-eviction.ts';
import { Mirror, type MirrorLimits } from './mirror.ts';
import type { SshOptions } from './remote-access.ts';

const GIB = 1_024 ** 3;

/** Enough for an installation's active repositories; beyond it the least recently used are fetched anew. */
const DEFAULT_MAX_MIRRORS = 200;
const DEFAULT_MAX_BYTES = 50 * GIB;

/** Larger than the packed history of nearly every public repository, and small enough to fetch within the time limit. */
const DEFAULT_MAX_REPOSITORY_BYTES = 10 * GIB;
const DEFAULT_FETCH_TIME_LIMIT_MS = 600_000;

/** Git's own housekeeping joins packs at 50; a fetch tells the remote about a few hundred commits without delay. */
const MAX_PACKS = 50;
const MAX_PINS = 512;

export interface MirrorCacheOptions {
  readonly git: Git;
  /** Absolute path of a directory that only caches of this kind use. Made when it is missing. */
  readonly dir: string;
  /** Which addresses remotes may have. No default: a server and a laptop want opposite things. */
  readonly addressPolicy: AddressPolicy;
  /** `https` and `ssh` unless named otherwise; `http` and `file` are for development. */
  readonly allowProtocols?: readonly Protocol[];
  readonly maxMirrors?: number;
  readonly maxBytes?: number;
  readonly maxRepositoryBytes?: number;
  readonly fetchTimeLimitMs?: number;
  readonly ssh?: SshOptions;
  readonly resolve?: ResolveHost;
}

export interface MirrorUse {
  /** Sent to the remote, never stored. Outranks credentials in the URL. */
  readonly credential?: Credential;
  readonly signal?: AbortSignal;
  /** The repository's hash; sha1 unless a forge says otherwise (a commit id of 64 digits does). */
  readonly objectFormat?: ObjectFormat;
}

/**
 * Bare mirrors of remotes, one directory for each, shared by all processes that name the same directory.
 * Bounded in number and bytes; a damaged mirror is thrown away and fetched again.
 */
export class MirrorCache {
  private readonly options: MirrorCacheOptions;
  private readonly limits: MirrorLimits;
  /** Keys of repositories that git recognised. Should one be damaged since, whoever reads it finds out and comes again. */
  private readonly recognised = new Set<string>();

  constructor(options: MirrorCacheOptions) {
    if (!isAbsolute(options.dir)) throw new Error(`the mirror cache needs an absolute directory, not ${options.dir}`);
    this.options = options;
    const fetchTimeLimitMs = options.fetchTimeLimitMs ?? DEFAULT_FETCH_TIME_LIMIT_MS;
    this.limits = {
      fetchTimeLimitMs,
      // Whoever waits for a fetch waits at least as long as a fetch may last.
      lockWaitMs: fetchTimeLimitMs * 2,
      maxRepositoryBytes: options.maxRepositoryBytes ?? DEFAULT_MAX_REPOSITORY_BYTES,
      maxPacks: MAX_PACKS,
      maxPins: MAX_PINS,
    };
  }

  /**
   * Lends the mirror of a remote. Uses of the same mirror run side by side; only fetches wait for each other.
   * When `use` ends in `repository_corrupt` the mirror is built anew and `use` is called once more, so it should only read.
   */
  async withMirror<T>(
    url: string,
    use: (mirror: Mirror) => Promise<GitResult<T>>,
    how: MirrorUse = {},
  ): Promise<GitResult<T>> {
    const remote = parseCloneUrl(url, this.options.allowProtocols ?? DEFAULT_PROTOCOLS);
    if (!remote.ok) return remote;
    await mkdir(this.options.dir, { recursive: true });
    const first = await this.lend(remote.value, use, how, false);
    const damaged = !first.ok && (first.error.code === 'repository_corrupt' || first.error.code === 'not_a_repository');
    const result = damaged ? await this.lend(remote.value, use, how, true) : first;
    await this.evict();
    return result;
  }

  private async lend<T>(
    remote: CloneUrl,
    use: (mirror: Mirror) => Promise<GitResult<T>>,
    how: MirrorUse,
    anew: boolean,
  ): Promise<GitResult<T>> {
    const format = how.objectFormat ?? 'sha1';
    const directory = new MirrorDirectory(this.options.dir, mirrorKey(remote.url, format));
    const entered = await this.enter(directory, format, anew, how.signal);
    if (!entered.ok) return entered;
    const { addressPolicy, resolve, ssh, git } = this.options;
    const access = { remote, credential: how.credential, addressPolicy, resolve, ssh };
    const mirror = new Mirror({ git, directory, access, limits: this.limits, signal: how.signal });
    try {
      return await use(mirror);
    } finally {
      await mirror.close();
      await entered.value();
    }
  }

  /** Readies the directory and marks it as used, both under its lock: nobody evicts what is being entered. */
  private async enter(
    directory: MirrorDirectory,
    format: ObjectFormat,
    anew: boolean,
    signal: AbortSignal | undefined,
  ): Promise<GitResult<() => Promise<void>>> {
    const lock = await takeLock(directory.lockPath, { waitMs: this.limits.lockWaitMs, signal });
    if (!lock.ok) return lock;
    try {
      if (anew) await directory.discard();
      const recognised = !anew && this.recognised.has(directory.key);
      const prepared = await directory.prepare(this.options.git, format, recognised);
      if (!prepared.ok) return prepared;
      this.recognised.add(directory.key);
      return done(await directory.enter());
    } finally {
      await lock.value();
    }
  }

  /** Brings the cache within its limits. Mirrors in use stay, whatever the limits: they go when next looked at. */
  private async evict(): Promise<void> {
    const facts: MirrorFacts[] = [];
    for (const key of await mirrorKeysIn(this.options.dir)) {
      const directory = new MirrorDirectory(this.options.dir, key);
      facts.push({ key, lastUsedMs: await directory.lastUsedMs(), bytes: await directory.packBytes() });
    }
    const maxMirrors = this.options.maxMirrors ?? DEFAULT_MAX_MIRRORS;
    const maxBytes = this.options.maxBytes ?? DEFAULT_MAX_BYTES;
    for (const key of chooseEvictions(facts, { maxMirrors, maxBytes })) await this.removeUnlessUsed(key);
  }

  private async removeUnlessUsed(key: string): Promise<void> {
    const directory = new MirrorDirectory(this.options.dir, key);
    const lock = await takeLock(directory.lockPath, { waitMs: 0 });
    // Locked means in use.
    if (!lock.ok) return;
    try {
      if (!(await directory.isInUse())) await directory.remove();
    } finally {
      await lock.value();
    }
  }
}
