import type { Change, CommitId } from '@delta-ci/contracts';
import type { GitResult, Mirror, TreeEntry } from '@delta-ci/git';
import { wantedPaths, type Comparison, type RepositorySnapshot } from '@delta-ci/planning';
import type { BorrowedMirror } from './served-mirrors.ts';

/** A change as planning wants it: the tested tree, and what it is compared with. */
export interface ReadChange {
  readonly tree: string;
  readonly head: RepositorySnapshot;
  readonly comparison: Comparison;
}

/** Fetches what is missing and reads both sides of a change. Nothing of the repository is ever executed. */
export async function readChange(
  { mirror, defaultBranch }: BorrowedMirror,
  change: Change,
): Promise<GitResult<ReadChange>> {
  const fetched = await fetchHead(mirror, change);
  if (!fetched.ok) return fetched;
  const tree = await mirror.treeId(change.head);
  if (!tree.ok) return tree;
  const head = await readSnapshot(mirror, change.head);
  if (!head.ok) return head;
  const base = await findBase(mirror, change, defaultBranch);
  if (!base.ok) return base;
  const comparison = await compare(mirror, base.value, change.head);
  return comparison.ok
    ? { ok: true, value: { tree: tree.value, head: head.value, comparison: comparison.value } }
    : comparison;
}

/** By id where the remote gives commits by id; otherwise through the ref they were pushed to. */
async function fetchHead(mirror: Mirror, { head, ref }: Change): Promise<GitResult<unknown>> {
  const byId = await mirror.fetch({ commits: [head] });
  if (byId.ok || byId.error.code !== 'commit_not_found') return byId;
  const byRef = await mirror.fetch({ refs: [ref] });
  if (!byRef.ok) return byId;
  const here = await mirror.hasCommit(head);
  return here.ok && here.value ? byRef : byId;
}

type Base = { readonly commit: CommitId } | { readonly reason: string };

/** The commit to compare with, or why there is none; never "nothing changed" for want of one. */
async function findBase(mirror: Mirror, change: Change, defaultBranch: string): Promise<GitResult<Base>> {
  if (change.kind === 'manual' && change.base === null) return done({ reason: 'the run was asked for by hand' });
  const against =
    change.base === null ? await tipOf(mirror, change, defaultBranch) : await fetchBase(mirror, change.base);
  if (!against.ok) return against;
  if ('reason' in against.value) return against;
  const { commit } = against.value;
  const merged = await mirror.mergeBase(commit, change.head);
  if (!merged.ok) {
    if (merged.error.code !== 'no_merge_base') return merged;
    return done({ reason: `${commit.slice(0, 8)} and the tested commit share no history` });
  }
  if (merged.value !== change.head) return done({ commit: merged.value });
  // The tested commit is older than what it is compared with: a branch was set back, or is not ahead of the default branch.
  if (change.base !== null) return done({ commit });
  return done({ reason: 'there is no earlier commit to compare with' });
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

async function compare(mirror: Mirror, base: Base, head: CommitId): Promise<GitResult<Comparison>> {
  if ('reason' in base) return done({ kind: 'everything', reason: base.reason });
  const changes = await mirror.diff(base.commit, head);
  if (!changes.ok) return changes;
  const snapshot = await readSnapshot(mirror, base.commit);
  if (!snapshot.ok) return snapshot;
  return done({ kind: 'changes', commit: base.commit, snapshot: snapshot.value, changes: changes.value });
}

/** Manifests are small, the largest lockfiles have a few MiB: what is larger counts as unreadable, and planning says so. */
const BLOB_CAPS = { maxBlobBytes: 16 * 1_024 ** 2, maxTotalBytes: 256 * 1_024 ** 2 };

async function readSnapshot(mirror: Mirror, commit: CommitId): Promise<GitResult<RepositorySnapshot>> {
  const entries = await mirror.listTree(commit);
  if (!entries.ok) return entries;
  const wanted = new Set(wantedPaths(entries.value));
  const files = entries.value.filter(({ path }) => wanted.has(path));
  const blobs = await mirror.readBlobs(
    files.map(({ blobId }) => blobId),
    BLOB_CAPS,
  );
  if (!blobs.ok) return blobs;
  const contents = new Map<string, string>();
  blobs.value.forEach((blob, at) => {
    const text = blob.kind === 'content' ? textOf(blob.content) : null;
    if (text !== null) contents.set(pathAt(files, at), text);
  });
  return done({ entries: entries.value, contents });
}

function pathAt(files: readonly TreeEntry[], at: number): string {
  const file = files[at];
  if (file === undefined) throw new Error('blobs are answered in the order they were asked for');
  return file.path;
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

function done<T>(value: T): { ok: true; value: T } {
  return { ok: true, value };
}
