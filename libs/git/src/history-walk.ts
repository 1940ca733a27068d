import { isObjectId } from './commit-id.ts';
import type { CommitInfo } from './commit-record.ts';
import { done, failed, type GitResult } from './git-error.ts';
import type { Git, GitContext } from './git.ts';
import { readNulRecords, type Verdict } from './nul-records.ts';
import { RawDiffParser, type ChangedFile } from './raw-diff.ts';

/** A commit beside the one before it on the same line of history. */
export interface HistoryStep {
  readonly commit: CommitInfo;
  /** The commit's first parent; null where the history ends, or is cut off. */
  readonly parent: CommitInfo | null;
  /** What changed since the parent; empty without one. */
  readonly changes: readonly ChangedFile[];
}

/** Differences are asked for in portions: one process each, and no more in memory than what two of them hold. */
const STEPS_PER_PROCESS = 50;

export interface DifferenceFlags {
  readonly flags: readonly string[];
  /** Changed files of one portion. */
  readonly maxEntries: number;
}

/**
 * Goes through commits, each beside the next one of the list, from the last to the first. While one portion of differences is
 * looked at, git works on the next. A visitor that returns false ends the walk.
 * @param commits newest first, each the child of the one behind it; of the last one nothing is said unless `ends`
 * @param ends whether the last commit has no parent here, so that it is a step of its own
 */
export async function walkSteps(
  git: Git,
  context: GitContext,
  commits: readonly CommitInfo[],
  ends: boolean,
  how: DifferenceFlags,
  visit: (step: HistoryStep) => Promise<boolean | void>,
): Promise<GitResult<number>> {
  const steps = pairsOf(commits, ends);
  let visited = 0;
  let ahead = differencesOf(git, context, steps.slice(0, STEPS_PER_PROCESS), how);
  try {
    for (let at = STEPS_PER_PROCESS; at < steps.length + STEPS_PER_PROCESS; at += STEPS_PER_PROCESS) {
      const read = await ahead;
      if (!read.ok) return read;
      ahead = differencesOf(git, context, steps.slice(at, at + STEPS_PER_PROCESS), how);
      for (const step of read.value) {
        if (context.signal?.aborted === true) return failed('git_canceled', 'the walk was canceled');
        visited += 1;
        if ((await visit(step)) === false) return done(visited);
      }
    }
    return done(visited);
  } finally {
    // Nobody asks any more for what was started ahead, but it has to be gone before the walk is over.
    await ahead;
  }
}

type Pair = Pick<HistoryStep, 'commit' | 'parent'>;

function pairsOf(commits: readonly CommitInfo[], ends: boolean): Pair[] {
  const pairs = commits.map((commit, at): Pair => ({ commit, parent: commits[at + 1] ?? null }));
  return (ends ? pairs : pairs.slice(0, -1)).toReversed();
}

async function differencesOf(
  git: Git,
  context: GitContext,
  pairs: readonly Pair[],
  { flags, maxEntries }: DifferenceFlags,
): Promise<GitResult<HistoryStep[]>> {
  const compared = pairs.filter(({ parent }) => parent !== null);
  if (compared.length === 0) return done(pairs.map((pair) => ({ ...pair, changes: [] })));
  const reader = new StepReader(maxEntries);
  const input = Buffer.from(compared.map(({ commit, parent }) => `${commit.id} ${parent?.id ?? ''}\n`).join(''));
  const command = { command: 'diff-tree', flags: ['--stdin', '--always', ...flags] };
  const read = await readNulRecords(git, command, { ...context, input }, (records) => reader.take(records));
  if (!read.ok) return read;
  if (reader.unfinished) return failed('unexpected_output', 'git diff-tree ended in the middle of a change');
  const changes = reader.changes;
  if (compared.some(({ commit }) => !changes.has(commit.id))) {
    return failed('unexpected_output', 'git diff-tree did not answer for every commit');
  }
  return done(pairs.map((pair) => ({ ...pair, changes: changes.get(pair.commit.id) ?? [] })));
}

/** Reads what `diff-tree --stdin` writes: a commit's id, then its changes, then the next id. */
class StepReader {
  readonly changes = new Map<string, ChangedFile[]>();
  readonly #maxEntries: number;
  readonly #parser = new RawDiffParser();
  #current: ChangedFile[] | undefined;
  #count = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get unfinished(): boolean {
    return this.#parser.unfinished;
  }

  take(records: readonly Buffer[]): Verdict {
    for (const record of records) if (!this.#add(record)) return broken();
    if (this.#count <= this.#maxEntries) return 'more';
    return failed('too_many_entries', `more than ${this.#maxEntries} files changed within a few commits`);
  }

  #add(record: Buffer): boolean {
    // A path never stands where a change begins, so one that looks like an id is none.
    const id = this.#parser.unfinished || record.length > ID_BYTES_MAX ? '' : record.toString('latin1');
    if (isObjectId(id)) {
      this.#current = [];
      this.changes.set(id, this.#current);
      return true;
    }
    const change = this.#parser.add(record);
    if (change === 'broken' || this.#current === undefined) return false;
    if (change === undefined) return true;
    this.#current.push(change);
    this.#count += 1;
    return true;
  }
}

const ID_BYTES_MAX = 64;

function broken(): Verdict {
  return failed('unexpected_output', 'git diff-tree wrote a change that cannot be read');
}
