import type { ObjectAnswer } from './batch-answers.ts';
import { readBlobsWithin, type BlobAnswer, type BlobCaps } from './blobs.ts';
import { isObjectId, parseCommitId } from './commit-id.ts';
import { commonAncestor, isShallowRepository } from './common-ancestor.ts';
import { parseCommitRecord, type CommitInfo } from './commit-record.ts';
import { done, failed, type GitResult } from './git-error.ts';
import type { Git, GitContext } from './git.ts';
import { walkSteps, type HistoryStep } from './history-walk.ts';
import { readNulRecords, type Verdict } from './nul-records.ts';
import { ObjectBatch, type AskOptions } from './object-batch.ts';
import { RawDiffParser, type ChangedFile } from './raw-diff.ts';
import { parseRef } from './ref-name.ts';
import { oneSafeLine } from './text-for-people.ts';
import { parseTreeRecord, type TreeEntry } from './tree-listing.ts';

/** The largest public monorepositories have about half a million files. */
const DEFAULT_MAX_ENTRIES = 1_000_000;

const DEFAULT_TIME_LIMIT_MS = 60_000;

/** Ten thousand commits with their messages have some ten; messages without end are refused with `output_too_large`. */
const LOG_BYTES_MAX = 128 * 1_024 ** 2;

/** `tree `, an id, and the line's end. */
const TREE_LINE_BYTES_MAX = 70;

/**
 * Pairs of added and deleted files compared for likeness: the square of this. Git's own default since 2.34.
 * Beyond it only exact renames are found; the rest appear as deletion and addition, which counts both places anyway.
 */
const RENAME_LIMIT = 1_000;

export interface ReadOptions {
  readonly timeLimitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions extends ReadOptions {
  /** Refuse with `too_many_entries` beyond this many. */
  readonly maxEntries?: number;
  /** Ask for the size of every blob too; costs a look at every object. */
  readonly sizes?: boolean;
}

export interface DiffOptions extends ReadOptions {
  readonly maxEntries?: number;
  /** Find renames (default) or report them as a deletion and an addition. */
  readonly renames?: boolean;
}

/**
 * Reads one repository: commits, trees, differences, contents. Never writes, never runs hooks or filters, never reaches the
 * network. Holds two `git cat-file` processes once contents were read, so it must be closed.
 */
export class RepositoryReader {
  protected readonly git: Git;
  readonly gitDir: string;
  private readonly sizes: ObjectBatch;
  private readonly contents: ObjectBatch;
  /** Commits found here: what is here stays for as long as a reader lives. */
  private readonly found = new Set<string>();

  constructor(git: Git, gitDir: string) {
    this.git = git;
    this.gitDir = gitDir;
    this.sizes = new ObjectBatch(git, { gitDir }, false);
    this.contents = new ObjectBatch(git, { gitDir }, true);
  }

  /** Ends the processes that were kept for contents. The reader cannot read contents afterwards. */
  async close(): Promise<void> {
    await Promise.all([this.sizes.close(), this.contents.close()]);
  }

  /** The commit a full ref, or `HEAD`, points at here. `ref_not_found` when there is none. */
  async resolveRef(ref: string, options: ReadOptions = {}): Promise<GitResult<string>> {
    const parsed = ref === 'HEAD' ? done(ref) : parseRef(ref);
    if (!parsed.ok) return parsed;
    const found = await this.verify(`${parsed.value}^{commit}`, options);
    if (!found.ok) return found;
    return found.value === undefined
      ? failed('ref_not_found', `the repository has no commit at ${oneSafeLine(ref, 200)}`)
      : done(found.value);
  }

  /** The checked-out branch's full name; null when the head is detached. */
  async currentBranch(): Promise<GitResult<string | null>> {
    const command = { command: 'symbolic-ref', flags: ['--quiet'], operands: ['HEAD'] };
    const answer = await this.git.run(command, { ...this.at({}), answers: [0, 1] });
    if (!answer.ok) return answer;
    const ref = answer.value.stdout.toString('utf8').trim();
    return done(ref === '' ? null : ref);
  }

  /** Whether the commit is here. */
  async hasCommit(commit: string, options: ReadOptions = {}): Promise<GitResult<boolean>> {
    const parsed = parseCommitId(commit);
    if (!parsed.ok) return parsed;
    if (this.found.has(parsed.value)) return done(true);
    const asked = await this.sizes.ask([parsed.value], this.patience(options));
    if (!asked.ok) return asked;
    const [answer] = asked.value;
    // The id of an annotated tag stands for the commit it names.
    const here = isOfType(answer, 'tag')
      ? await this.namesCommit(parsed.value, options)
      : done(isOfType(answer, 'commit'));
    if (here.ok && here.value) this.found.add(parsed.value);
    return here;
  }

  /** The id of the tree a commit holds. */
  async treeId(commit: string, options: ReadOptions = {}): Promise<GitResult<string>> {
    const parsed = parseCommitId(commit);
    if (!parsed.ok) return parsed;
    const asked = await this.contents.ask([parsed.value], this.patience(options));
    if (!asked.ok) return asked;
    const [answer] = asked.value;
    if (answer?.kind === 'found' && answer.type === 'commit') return treeOf(answer.content);
    if (!isOfType(answer, 'tag')) return noSuchCommit(commit);
    const found = await this.verify(`${parsed.value}^{tree}`, options);
    if (!found.ok) return found;
    return found.value === undefined ? noSuchCommit(commit) : done(found.value);
  }

  async commitInfo(commit: string, options: ReadOptions = {}): Promise<GitResult<CommitInfo>> {
    const log = await this.firstParentLog(commit, 1, options);
    if (!log.ok) return log;
    const [first] = log.value;
    return first === undefined ? noSuchCommit(commit) : done(first);
  }

  /** The commit and its first-parent ancestors, newest first, at most `count`. */
  async firstParentLog(commit: string, count: number, options: ReadOptions = {}): Promise<GitResult<CommitInfo[]>> {
    const present = await this.requireCommits([commit], options);
    if (!present.ok) return present;
    const commits: CommitInfo[] = [];
    const flags = ['--first-parent', '--header', `--max-count=${Math.trunc(count)}`];
    const command = { command: 'rev-list', flags, operands: [commit] };
    const context = { ...this.at(options), maxOutputBytes: LOG_BYTES_MAX };
    const read = await readNulRecords(this.git, command, context, (records) => {
      for (const record of records) {
        const info = parseCommitRecord(record);
        if (info === undefined) return failed('unexpected_output', 'git rev-list wrote a commit that cannot be read');
        commits.push(info);
      }
      return 'more';
    });
    return read.ok ? done(commits) : read;
  }

  /**
   * The last `count` commits up to `commit` along first parents, each with what changed since the one before, the oldest
   * first: a few processes for all of them, the first of which nothing but commits. Time limits hold for each process;
   * `maxEntries` for a portion of commits. The value is how many were visited; a visitor that returns false ends the walk.
   */
  async walkFirstParents(
    commit: string,
    count: number,
    visit: (step: HistoryStep) => Promise<boolean | void>,
    options: DiffOptions = {},
  ): Promise<GitResult<number>> {
    // One more than asked for: what the oldest is compared with.
    const log = await this.firstParentLog(commit, count + 1, options);
    if (!log.ok) return log;
    const how = { flags: differenceFlags(options), maxEntries: options.maxEntries ?? DEFAULT_MAX_ENTRIES };
    return walkSteps(this.git, this.at(options), log.value, log.value.length <= count, how, visit);
  }

  /** Whether `ancestor` is `descendant` or one of its ancestors. */
  async isAncestor(ancestor: string, descendant: string, options: ReadOptions = {}): Promise<GitResult<boolean>> {
    const present = await this.requireCommits([ancestor, descendant], options);
    if (!present.ok) return present;
    const command = { command: 'merge-base', flags: ['--is-ancestor'], operands: [ancestor, descendant] };
    const answer = await this.git.run(command, { ...this.at(options), answers: [0, 1] });
    return answer.ok ? done(answer.value.exitCode === 0) : answer;
  }

  /**
   * What `other` is best compared with to see what it changes about `one`: their best common ancestor. After criss-cross
   * merges there are several, none of which has all that both share, so that compared with one of them `other` may seem to
   * leave alone what it takes back from another: then it is `one` itself. So it is where history was left out in which a
   * better one may lie. `no_merge_base` when they share no history, or
   * when that history is not here.
   */
  async mergeBase(one: string, other: string, options: ReadOptions = {}): Promise<GitResult<string>> {
    const present = await this.requireCommits([one, other], options);
    if (!present.ok) return present;
    // As most pushes are: one commit on top of what was there.
    if (await this.isParent(one, other, options)) return done(one);
    return commonAncestor(this.git, this.at(options), one, other);
  }

  /** False also when it cannot be told: whoever asks has another way to find out. */
  private async isParent(parent: string, commit: string, options: ReadOptions): Promise<boolean> {
    const asked = await this.contents.ask([commit], this.patience(options));
    const answer = asked.ok ? asked.value[0] : undefined;
    if (answer?.kind !== 'found' || answer.type !== 'commit') return false;
    return parentsOf(answer.content).includes(parent);
  }

  /** Whether part of the history was left out when the repository was cloned. */
  async isShallow(options: ReadOptions = {}): Promise<GitResult<boolean>> {
    return isShallowRepository(this.git, this.at(options));
  }

  /** Every file, symbolic link and submodule of a commit or tree. Use `walkTree` when it may have hundreds of thousands. */
  async listTree(treeish: string, options: ListOptions = {}): Promise<GitResult<TreeEntry[]>> {
    const entries: TreeEntry[] = [];
    const walked = await this.walkTree(treeish, options, (batch) => {
      for (const entry of batch) entries.push(entry);
    });
    return walked.ok ? done(entries) : walked;
  }

  /**
   * Hands on the entries of a commit or tree in batches, in git's order, holding one batch at a time;
   * `visit` may return a promise to hold back further batches. The value is the number of entries.
   */
  async walkTree(
    treeish: string,
    options: ListOptions,
    visit: (entries: readonly TreeEntry[]) => void | Promise<void>,
  ): Promise<GitResult<number>> {
    if (!isObjectId(treeish)) return notAnObjectId(treeish);
    const maxEntries = options.maxEntries ?? DEFAULT_MAX_ENTRIES;
    const flags = ['-r', '-z', '--full-tree', ...(options.sizes === true ? ['-l'] : [])];
    let count = 0;
    const take = async (records: readonly Buffer[]): Promise<Verdict> => {
      const batch: TreeEntry[] = [];
      for (const record of records) {
        const entry = parseTreeRecord(record);
        if (entry === undefined) return failed('unexpected_output', 'git ls-tree wrote an entry that cannot be read');
        batch.push(entry);
      }
      count += batch.length;
      if (count > maxEntries) return failed('too_many_entries', `${treeish} has more than ${maxEntries} entries`);
      await visit(batch);
      return 'more';
    };
    const command = { command: 'ls-tree', flags, operands: [treeish] };
    const read = await readNulRecords(this.git, command, this.at(options), take);
    return read.ok ? done(count) : this.explainMissing(treeish, read);
  }

  /**
   * What changed from `base` to `head`, each a commit or a tree. A null base stands for "nothing before":
   * every file is then an addition.
   */
  async diff(base: string | null, head: string, options: DiffOptions = {}): Promise<GitResult<ChangedFile[]>> {
    const from = base === null ? await this.emptyTreeId(options) : done(base);
    if (!from.ok) return from;
    for (const id of [from.value, head]) if (!isObjectId(id)) return notAnObjectId(id);
    const maxEntries = options.maxEntries ?? DEFAULT_MAX_ENTRIES;
    const flags = differenceFlags(options);
    const parser = new RawDiffParser();
    const changes: ChangedFile[] = [];
    const take = (records: readonly Buffer[]): Verdict => {
      for (const record of records) {
        const change = parser.add(record);
        if (change === 'broken') return failed('unexpected_output', 'git diff-tree wrote a change that cannot be read');
        if (change !== undefined) changes.push(change);
      }
      if (changes.length <= maxEntries) return 'more';
      return failed('too_many_entries', `more than ${maxEntries} files changed`);
    };
    const command = { command: 'diff-tree', flags, operands: [from.value, head] };
    const read = await readNulRecords(this.git, command, this.at(options), take);
    if (!read.ok) return this.explainMissing(`${from.value} or ${head}`, read);
    if (parser.unfinished) return failed('unexpected_output', 'git diff-tree ended in the middle of a change');
    return done(changes);
  }

  /** Contents of blobs within caps, in the order asked for; what does not fit or is not there is said for each. */
  async readBlobs(ids: readonly string[], caps: BlobCaps, options: ReadOptions = {}): Promise<GitResult<BlobAnswer[]>> {
    const wrong = ids.find((id) => !isObjectId(id));
    if (wrong !== undefined) return notAnObjectId(wrong);
    return readBlobsWithin({ sizes: this.sizes, contents: this.contents }, ids, caps, this.patience(options));
  }

  /** The id of the tree without entries, in this repository's hash. */
  async emptyTreeId(options: ReadOptions = {}): Promise<GitResult<string>> {
    const command = { command: 'hash-object', flags: ['-t', 'tree', '--stdin'] };
    return this.git.line(command, { ...this.at(options), input: Buffer.alloc(0) });
  }

  /** Where and how this repository's commands run. */
  protected at(options: ReadOptions): GitContext {
    return {
      gitDir: this.gitDir,
      timeLimitMs: options.timeLimitMs ?? DEFAULT_TIME_LIMIT_MS,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    };
  }

  private patience({ timeLimitMs, signal }: ReadOptions): AskOptions {
    return { timeLimitMs: timeLimitMs ?? DEFAULT_TIME_LIMIT_MS, signal };
  }

  private async namesCommit(tag: string, options: ReadOptions): Promise<GitResult<boolean>> {
    const found = await this.verify(`${tag}^{commit}`, options);
    return found.ok ? done(found.value !== undefined) : found;
  }

  /** The object id an expression of ours stands for; undefined when there is no such object. */
  private async verify(expression: string, options: ReadOptions): Promise<GitResult<string | undefined>> {
    const command = { command: 'rev-parse', flags: ['--verify', '--quiet'], operands: [expression] };
    const answer = await this.git.run(command, { ...this.at(options), answers: [0, 1] });
    if (!answer.ok) return answer.error.code === 'object_not_found' ? done(undefined) : answer;
    const id = answer.value.stdout.toString('latin1').trim();
    return done(answer.value.exitCode === 0 && isObjectId(id) ? id : undefined);
  }

  private async requireCommits(commits: readonly string[], options: ReadOptions): Promise<GitResult<void>> {
    for (const commit of commits) {
      const here = await this.hasCommit(commit, options);
      if (!here.ok) return here;
      if (!here.value) return noSuchCommit(commit);
    }
    return done(undefined);
  }

  private explainMissing(what: string, failure: ReturnType<typeof failed>): ReturnType<typeof failed> {
    if (failure.error.code !== 'object_not_found') return failure;
    return failed('object_not_found', `the repository has no ${what}`, failure.error.stderr);
  }
}

function differenceFlags({ renames }: DiffOptions): string[] {
  const likeness = renames === false ? ['--no-renames'] : ['-M', `-l${RENAME_LIMIT}`];
  return ['-r', '-z', '--raw', '--full-index', '--no-abbrev', '--ignore-submodules=none', ...likeness];
}

const isOfType = (answer: ObjectAnswer | undefined, type: string): boolean =>
  answer?.kind === 'found' && answer.type === type;

/** A commit's record begins with its tree. */
function treeOf(commit: Buffer): GitResult<string> {
  const [, id] = /^tree ([0-9a-f]{40,64})\n/u.exec(commit.toString('latin1', 0, TREE_LINE_BYTES_MAX)) ?? [];
  return id === undefined ? failed('unexpected_output', 'git cat-file wrote a commit without a tree') : done(id);
}

/** They stand between the tree and the author, one on a line. */
function parentsOf(commit: Buffer): string[] {
  const headers = commit.toString('latin1', 0, commit.indexOf('\nauthor '));
  return [...headers.matchAll(/^parent ([0-9a-f]{40,64})$/gmu)].map(([, id = '']) => id);
}

function noSuchCommit(commit: string): ReturnType<typeof failed> {
  return failed('commit_not_found', `the repository has no commit ${oneSafeLine(commit, 80)}`);
}

function notAnObjectId(text: string): ReturnType<typeof failed> {
  return failed('invalid_commit_id', `"${oneSafeLine(text, 80)}" is not a full object id`);
}
