import { createHash } from 'node:crypto';
import type { BlobAnswer, BlobCaps } from './blobs.ts';
import { parseCommitId } from './commit-id.ts';
import { done, failed, type GitResult } from './git-error.ts';
import type { Git, GitContext } from './git.ts';
import { takeLock } from './lock-file.ts';
import type { MirrorDirectory } from './mirror-directory.ts';
import { parseRef } from './ref-name.ts';
import { accessRemote, type RemoteAccess } from './remote-access.ts';
import { RepositoryReader, type ReadOptions } from './repository-reader.ts';
import { transferWithin } from './transfer-within.ts';

const PINS = 'refs/delta/commits/';

export interface MirrorLimits {
  readonly fetchTimeLimitMs: number;
  readonly lockWaitMs: number;
  readonly maxRepositoryBytes: number;
  /** Every fetch adds a pack, and every lookup asks every pack: above this many they are joined. */
  readonly maxPacks: number;
  /** Pinned commits only tell the remote what is here already: above this many the older half is forgotten. */
  readonly maxPins: number;
}

/** A remote that is a shallow clone itself gives what it has. */
const FETCH_FLAGS = [
  '--quiet',
  '--no-tags',
  '--prune',
  '--no-write-fetch-head',
  '--no-auto-maintenance',
  '--refmap=',
  '--update-shallow',
];

/** What a caller needs to have here. */
export interface Wanted {
  /** Full commit ids. Those already here cost no connection. */
  readonly commits?: readonly string[];
  /** Full names of refs on the remote, always asked for again: they move. */
  readonly refs?: readonly string[];
}

export interface Fetched {
  /** The commit of each ref wanted. */
  readonly refs: ReadonlyMap<string, string>;
  /** Whether the remote was asked at all. */
  readonly askedRemote: boolean;
}

export interface RemoteHead {
  /** Full name of the remote's default branch. */
  readonly ref: string;
  readonly commit: string;
}

export interface MirrorOptions {
  readonly git: Git;
  readonly directory: MirrorDirectory;
  readonly access: RemoteAccess;
  readonly limits: MirrorLimits;
  readonly signal?: AbortSignal | undefined;
}

/** Where a remote's ref is kept here. Hashed: names that exclude each other as files (`a` and `a/b`) can follow one another. */
function placeOf(ref: string): string {
  return `refs/delta/fetched/${createHash('sha256').update(ref).digest('hex')}`;
}

/** A bare copy of one remote, with its whole history as far as it was asked for. */
export class Mirror extends RepositoryReader {
  private readonly options: MirrorOptions;

  constructor(options: MirrorOptions) {
    super(options.git, options.directory.gitDir);
    this.options = options;
  }

  /**
   * Makes commits and refs available. A commit the remote does not give by id (some servers refuse) is looked for in all
   * its branches. Errors: `commit_not_found`, `ref_not_found`, and whatever can happen between here and the remote.
   */
  async fetch(wanted: Wanted): Promise<GitResult<Fetched>> {
    const commits = wanted.commits ?? [];
    const refs = wanted.refs ?? [];
    for (const parsed of [...commits.map(parseCommitId), ...refs.map(parseRef)]) if (!parsed.ok) return parsed;
    const missing = await this.missingOf(commits);
    if (!missing.ok) return missing;
    if (missing.value.length === 0 && refs.length === 0) return done({ refs: new Map(), askedRemote: false });
    const { directory, limits, signal } = this.options;
    const lock = await takeLock(directory.lockPath, { waitMs: limits.lockWaitMs, signal });
    if (!lock.ok) return lock;
    try {
      return await this.fetchLocked(commits, refs);
    } finally {
      await lock.value();
    }
  }

  /**
   * Fetches the history that was left out when the remote was a shallow clone itself, as far as it has it by now. Whether
   * that is worth another look: false when nothing was ever left out.
   */
  async deepen(commit: string): Promise<GitResult<boolean>> {
    const { directory, limits, signal } = this.options;
    const shallow = await this.isShallow({ signal });
    if (!shallow.ok || !shallow.value) return shallow;
    const parsed = parseCommitId(commit);
    if (!parsed.ok) return parsed;
    const lock = await takeLock(directory.lockPath, { waitMs: limits.lockWaitMs, signal });
    if (!lock.ok) return lock;
    try {
      await directory.sweepLeftovers();
      const fetched = await this.transfer([`+${commit}:${PINS}${commit}`], ['--unshallow']);
      return fetched.ok ? done(true) : fetched;
    } finally {
      await lock.value();
    }
  }

  /** The remote's default branch and where it stands. `ref_not_found` when the remote has no commit yet. */
  async remoteHead(): Promise<GitResult<RemoteHead>> {
    const context = await this.remoteContext();
    if (!context.ok) return context;
    const command = { command: 'ls-remote', flags: ['--symref'], operands: [this.options.access.remote.url, 'HEAD'] };
    const answer = await this.git.run(command, { ...context.value, maxOutputBytes: 1_048_576 });
    if (!answer.ok) return answer;
    const text = answer.value.stdout.toString('utf8');
    const ref = /^ref: (\S+)\tHEAD$/mu.exec(text)?.[1];
    const commit = /^([0-9a-f]{40,64})\tHEAD$/mu.exec(text)?.[1];
    if (ref === undefined || commit === undefined) return failed('ref_not_found', 'the remote has no default branch');
    const parsed = parseRef(ref);
    return parsed.ok ? done({ ref, commit }) : parsed;
  }

  /** As of any repository; but in a mirror, which has all objects of the commits it has, a missing blob means damage. */
  override async readBlobs(
    ids: readonly string[],
    caps: BlobCaps,
    options: ReadOptions = {},
  ): Promise<GitResult<BlobAnswer[]>> {
    const answers = await super.readBlobs(ids, caps, options);
    const missing = answers.ok ? answers.value.find((answer) => answer.kind === 'missing') : undefined;
    return missing === undefined ? answers : failed('repository_corrupt', `the mirror lost the object ${missing.id}`);
  }

  private async missingOf(commits: readonly string[]): Promise<GitResult<string[]>> {
    const missing: string[] = [];
    for (const commit of new Set(commits)) {
      const here = await this.hasCommit(commit, { signal: this.options.signal });
      if (!here.ok) return here;
      if (!here.value) missing.push(commit);
    }
    return done(missing);
  }

  private async fetchLocked(commits: readonly string[], refs: readonly string[]): Promise<GitResult<Fetched>> {
    await this.options.directory.sweepLeftovers();
    // Whoever held the lock before may have fetched the same commits.
    const missing = await this.missingOf(commits);
    if (!missing.ok) return missing;
    if (missing.value.length === 0 && refs.length === 0) return done({ refs: new Map(), askedRemote: false });
    const wantedRefs = refs.map((ref) => `+${ref}:${placeOf(ref)}`);
    let fetched = await this.transfer([...missing.value.map((commit) => `+${commit}:${PINS}${commit}`), ...wantedRefs]);
    if (!fetched.ok && fetched.error.code === 'commit_not_found') {
      const everything = await this.transfer(['+refs/heads/*:refs/delta/heads/*', ...wantedRefs]);
      // What somebody else's branch holds says nothing about what was asked for.
      if (everything.ok || everything.error.code !== 'hostile_objects') fetched = everything;
    }
    if (!fetched.ok) return fetched;
    const stillMissing = await this.missingOf(commits);
    if (!stillMissing.ok) return stillMissing;
    const [lost] = stillMissing.value;
    if (lost !== undefined)
      return failed('commit_not_found', `the remote has no commit ${lost}, or does not give it away`);
    const tended = await this.tend();
    if (!tended.ok) return tended;
    return this.resolveAll(refs);
  }

  private async resolveAll(refs: readonly string[]): Promise<GitResult<Fetched>> {
    const resolved = new Map<string, string>();
    for (const ref of refs) {
      const commit = await this.resolveRef(placeOf(ref), { signal: this.options.signal });
      if (!commit.ok) return failed('ref_not_found', `${ref} of the remote does not point at a commit`);
      resolved.set(ref, commit.value);
    }
    return done({ refs: resolved, askedRemote: true });
  }

  private async remoteContext(): Promise<GitResult<GitContext & { gitDir: string }>> {
    const context = await accessRemote(this.git, this.options.access);
    if (!context.ok) return context;
    const { limits, signal } = this.options;
    return done({ ...context.value, gitDir: this.gitDir, timeLimitMs: limits.fetchTimeLimitMs, signal });
  }

  private async transfer(refspecs: readonly string[], further: readonly string[] = []): Promise<GitResult<void>> {
    const context = await this.remoteContext();
    if (!context.ok) return context;
    const command = {
      command: 'fetch',
      flags: [...FETCH_FLAGS, ...further],
      operands: [this.options.access.remote.url, ...refspecs],
    };
    const maxBytes = this.options.limits.maxRepositoryBytes;
    const answer = await transferWithin(this.git, command, context.value, maxBytes);
    if (!answer.ok && answer.error.code === 'repository_too_large') await this.options.directory.discard();
    return answer;
  }

  /** Keeps the mirror fast: joins packs when there are many, forgets pins when there are many. */
  private async tend(): Promise<GitResult<void>> {
    const forgotten = await this.forgetOldPins();
    if (!forgotten.ok) return forgotten;
    if ((await this.options.directory.packCount()) <= this.options.limits.maxPacks) return done(undefined);
    const command = { command: 'repack', flags: ['-d', '-q', '--geometric=2'] };
    const joined = await this.git.run(command, this.tending());
    return joined.ok ? done(undefined) : joined;
  }

  private async forgetOldPins(): Promise<GitResult<void>> {
    // Nothing here packs refs, so each pin is a file: counting those costs no process.
    if ((await this.options.directory.looseRefCount(PINS)) <= this.options.limits.maxPins) return done(undefined);
    const flags = ['--format=%(refname)', '--sort=committerdate', PINS];
    const answer = await this.git.run({ command: 'for-each-ref', flags }, this.tending());
    if (!answer.ok) return answer;
    const pins = answer.value.stdout
      .toString('latin1')
      .split('\n')
      .filter((line) => line !== '');
    if (pins.length <= this.options.limits.maxPins) return done(undefined);
    const input = Buffer.from(
      pins
        .slice(0, pins.length / 2)
        .map((pin) => `delete ${pin}\n`)
        .join(''),
    );
    const deleted = await this.git.run({ command: 'update-ref', flags: ['--stdin'] }, { ...this.tending(), input });
    return deleted.ok ? done(undefined) : deleted;
  }

  private tending(): GitContext {
    return { gitDir: this.gitDir, timeLimitMs: this.options.limits.fetchTimeLimitMs, signal: this.options.signal };
  }
}
