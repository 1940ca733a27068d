import type { Change, CommitId, RepositoryId } from '@delta-ci/contracts';
import { SnapshotReader, type GitError, type GitResult, type Mirror, type SnapshotReading } from '@delta-ci/git';
import { CHANGES_MAX, TOO_MANY_CHANGES, condensed, wantedPaths, type Comparison } from '@delta-ci/planning';
import { BY_HAND, isByHand, type ReadChange, type ReadCommit, type ReadingMemory } from './reading-memory.ts';
import type { BorrowedMirror } from './served-mirrors.ts';

/** Where a change is read, what is remembered of the commits around it, and until when. */
export interface ReadingPlace extends BorrowedMirror {
  readonly repository: RepositoryId;
  readonly memory: ReadingMemory;
  readonly signal: AbortSignal;
}

/**
 * Fetches what is missing and reads both sides of a change, side by side: each is a few processes that mostly wait.
 * Nothing of the repository is ever executed.
 */
export async function readChange(place: ReadingPlace, change: Change): Promise<GitResult<ReadChange>> {
  const fetched = await fetchHead(place.mirror, change);
  if (!fetched.ok) return fetched;
  // Where one of them is refused the others end: a tree that is too large to be listed is too large to be compared.
  const refused = new AbortController();
  const within = { ...place, signal: AbortSignal.any([place.signal, refused.signal]) };
  const orEnd = async <T>(reading: Promise<GitResult<T>>): Promise<GitResult<T>> => {
    const read = await reading;
    if (!read.ok) refused.abort();
    return read;
  };
  const [head, comparison] = await Promise.all([
    orEnd(readCommit(within, change.head)),
    orEnd(readComparison(within, change)),
  ]);
  // A fetch for the comparison may have found the repository too large, and thrown away what the other one was reading.
  if (!comparison.ok && (head.ok || comparison.error.code !== 'git_canceled')) return comparison;
  if (!head.ok) return head;
  if (!comparison.ok) return comparison;
  return done({ tree: head.value.tree, head: head.value.snapshot, comparison: comparison.value });
}

async function readComparison(place: ReadingPlace, change: Change): Promise<GitResult<Comparison>> {
  if (isByHand(change)) return done(BY_HAND);
  const { mirror, signal } = place;
  const base = await findBase(place, change);
  if (!base.ok) return base;
  if ('reason' in base.value) return done({ kind: 'everything', reason: base.value.reason });
  const { commit } = base.value;
  const [changes, before] = await Promise.all([
    mirror.diff(commit, change.head, { maxEntries: CHANGES_MAX, signal }),
    readCommit(place, commit),
  ]);
  if (isTooMany(before)) return done({ kind: 'everything', reason: `${before.error.message} to compare with` });
  if (isTooMany(changes)) return done({ kind: 'everything', reason: TOO_MANY_CHANGES });
  if (!changes.ok) return changes;
  if (!before.ok) return before;
  if (change.base !== null) {
    place.memory.keepDifference(place.repository, change.base, change.head, { base: commit, changes: changes.value });
  }
  return done({ kind: 'changes', commit, snapshot: before.value.snapshot, changes: changes.value });
}

const isTooMany = <T>(read: GitResult<T>): read is { ok: false; error: GitError } =>
  !read.ok && read.error.code === 'too_many_entries';

async function readCommit(
  { mirror, repository, memory, signal }: ReadingPlace,
  commit: CommitId,
): Promise<GitResult<ReadCommit>> {
  const remembered = memory.commit(repository, commit);
  if (remembered !== null) return done(remembered);
  const [tree, snapshot] = await Promise.all([
    mirror.treeId(commit, { signal }),
    new SnapshotReader(mirror, READING).read(commit, { signal }),
  ]);
  if (!tree.ok) return tree;
  if (!snapshot.ok) return snapshot;
  const read = { tree: tree.value, snapshot: snapshot.value };
  memory.keepCommit(repository, commit, read);
  return done(read);
}

/** By id where the remote gives commits by id; otherwise through the ref they were pushed to. */
async function fetchHead(mirror: Mirror, { head, ref }: Change): Promise<GitResult<unknown>> {
  const byId = await mirror.fetch({ commits: [head] });
  if (byId.ok || byId.error.code !== 'commit_not_found') return byId;
  const byRef = await mirror.fetch({ refs: [ref] });
  if (!byRef.ok) return byRef.error.code === 'hostile_objects' ? byRef : byId;
  const here = await mirror.hasCommit(head);
  return here.ok && here.value ? byRef : byId;
}

type Base = { readonly commit: CommitId } | { readonly reason: string };

/** The commit to compare with, or why there is none; never "nothing changed" for want of one. */
async function findBase({ mirror, defaultBranch, signal }: ReadingPlace, change: Change): Promise<GitResult<Base>> {
  const against =
    change.base === null ? await tipOf(mirror, change, defaultBranch) : await fetchBase(mirror, change.base);
  if (!against.ok) return against;
  if ('reason' in against.value) return against;
  const { commit } = against.value;
  const merged = await mergeBase(mirror, commit, change.head, signal);
  if (!merged.ok) {
    if (merged.error.code !== 'no_merge_base') return merged;
    const shallow = await mirror.isShallow();
    const why = shallow.ok && shallow.value ? ' that the remote, a shallow clone, would have' : '';
    return done({ reason: `${commit.slice(0, 8)} and the tested commit share no history${why}` });
  }
  if (merged.value !== change.head) return done({ commit: merged.value });
  // The tested commit is older than what it is compared with: a branch was set back, or is not ahead of the default branch.
  if (change.base !== null) return done({ commit });
  return done({ reason: 'there is no earlier commit to compare with' });
}

/** Looks once more when history was left out by the remote, which may have it by now. */
async function mergeBase(
  mirror: Mirror,
  commit: CommitId,
  head: CommitId,
  signal: AbortSignal,
): Promise<GitResult<CommitId>> {
  const merged = await mirror.mergeBase(commit, head, { signal });
  if (merged.ok || merged.error.code !== 'no_merge_base') return merged;
  const deepened = await mirror.deepen(head);
  if (!deepened.ok) return deepened;
  return deepened.value ? mirror.mergeBase(commit, head, { signal }) : merged;
}

async function fetchBase(mirror: Mirror, base: CommitId): Promise<GitResult<Base>> {
  const fetched = await mirror.fetch({ commits: [base] });
  if (fetched.ok) return done({ commit: base });
  if (fetched.error.code !== 'commit_not_found') return fetched;
  return done({ reason: `the commit before the change, ${base.slice(0, 8)}, is gone from the remote` });
}

/** Where the branch that a new branch will probably go to stands. */
async function tipOf(mirror: Mirror, { targetRef }: Change, defaultBranch: string): Promise<GitResult<Base>> {
  const ref = targetRef ?? `refs/heads/${defaultBranch}`;
  const fetched = await mirror.fetch({ refs: [ref] });
  const commit = fetched.ok ? fetched.value.refs.get(ref) : undefined;
  if (commit !== undefined) return done({ commit });
  if (!fetched.ok && fetched.error.code !== 'ref_not_found') return fetched;
  return done({ reason: `the branch is new and there is no ${ref} to compare it with` });
}

/** What planning wants of a commit. */
const READING: SnapshotReading = { wanted: wantedPaths, kept: condensed };

function done<T>(value: T): { ok: true; value: T } {
  return { ok: true, value };
}
