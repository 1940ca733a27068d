import type { Change, CommitId, RepositoryId } from '@delta-ci/contracts';
import type { Comparison, RepositorySnapshot } from '@delta-ci/planning';
import { WeightedMemory } from './weighted-memory.ts';

/** A change as planning wants it: the tested tree, and what it is compared with. */
export interface ReadChange {
  readonly tree: string;
  readonly head: RepositorySnapshot;
  readonly comparison: Comparison;
}

/** What one commit holds. */
export interface ReadCommit {
  readonly tree: string;
  readonly snapshot: RepositorySnapshot;
}

/** How a change differs from the commit it is compared with, by which both sides may be read without git. */
export interface Difference {
  readonly base: CommitId;
  readonly changes: Extract<Comparison, { kind: 'changes' }>['changes'];
}

/** Whoever asks for a run by hand wants all of it, whatever came before. */
export const isByHand = ({ kind, base }: Change): boolean => kind === 'manual' && base === null;
export const BY_HAND = { kind: 'everything', reason: 'the run was asked for by hand' } as const;

/** Some dozens of ordinary repositories; one that is larger than all of this is read every time. */
const BYTES_MAX = 192 * 1_024 ** 2;
/** A path, its blob's id and what holds them, as measured on a listing of 100,000 files. */
const BYTES_PER_ENTRY = 250;

/**
 * What was read of commits. A commit never changes, nor does what differs between two, so what is remembered stays true
 * whatever happens to branches: the commit a change is compared with was, as a rule, the head of an earlier change.
 * Bounded by weight; the longest unused goes first.
 */
export class ReadingMemory {
  readonly #kept: WeightedMemory<ReadCommit | Difference>;

  constructor(bytesMax: number = BYTES_MAX) {
    this.#kept = new WeightedMemory(bytesMax);
  }

  /** The whole change, when nothing of it has to be asked of anybody; otherwise null. */
  recall(repository: RepositoryId, change: Change): ReadChange | null {
    const head = this.commit(repository, change.head);
    if (head === null) return null;
    const comparison = this.#comparison(repository, change);
    return comparison === null ? null : { tree: head.tree, head: head.snapshot, comparison };
  }

  commit(repository: RepositoryId, commit: CommitId): ReadCommit | null {
    const read = this.#kept.take(`${repository} ${commit}`);
    return read !== null && 'snapshot' in read ? read : null;
  }

  keepCommit(repository: RepositoryId, commit: CommitId, read: ReadCommit): void {
    let bytes = read.snapshot.entries.length * BYTES_PER_ENTRY;
    for (const text of read.snapshot.contents.values()) bytes += text.length * 2;
    this.#kept.keep(`${repository} ${commit}`, read, bytes);
  }

  /** `against`: what the forge said the change starts from; the commit compared with is where both parted. */
  keepDifference(repository: RepositoryId, against: CommitId, head: CommitId, difference: Difference): void {
    const bytes = (difference.changes.length + 1) * BYTES_PER_ENTRY;
    this.#kept.keep(`${repository} ${against} ${head}`, difference, bytes);
  }

  #comparison(repository: RepositoryId, change: Change): Comparison | null {
    if (isByHand(change)) return BY_HAND;
    const { base, head } = change;
    // Without a commit to compare with, the answer depends on where a branch stands now.
    if (base === null) return null;
    const difference = this.#kept.take(`${repository} ${base} ${head}`);
    if (difference === null || !('changes' in difference)) return null;
    const before = this.commit(repository, difference.base);
    if (before === null) return null;
    return { kind: 'changes', commit: difference.base, snapshot: before.snapshot, changes: difference.changes };
  }
}
