import type { Change, CommitId, RepositoryId } from '@delta-ci/contracts';
import type { Comparison, RepositorySnapshot } from '@delta-ci/planning';

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

/** Some dozens of ordinary repositories; one that is larger than all of this is read every time. */
const BYTES_MAX = 192 * 1_024 ** 2;
/** A path, its blob's id and what holds them, as measured on a listing of 100,000 files. */
const BYTES_PER_ENTRY = 250;

interface Kept {
  readonly value: ReadCommit | Difference;
  readonly bytes: number;
}

/**
 * What was read of commits. A commit never changes, nor does what differs between two, so what is remembered stays true
 * whatever happens to branches: the commit a change is compared with was, as a rule, the head of an earlier change.
 * Bounded by weight; the longest unused goes first.
 */
export class ReadingMemory {
  readonly #bytesMax: number;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(bytesMax: number = BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** The whole change, when nothing of it has to be asked of anybody; otherwise null. */
  recall(repository: RepositoryId, change: Change): ReadChange | null {
    const head = this.commit(repository, change.head);
    if (head === null) return null;
    const comparison = this.#comparison(repository, change);
    return comparison === null ? null : { tree: head.tree, head: head.snapshot, comparison };
  }

  commit(repository: RepositoryId, commit: CommitId): ReadCommit | null {
    const read = this.#take(`${repository} ${commit}`);
    return read !== null && 'snapshot' in read ? read : null;
  }

  keepCommit(repository: RepositoryId, commit: CommitId, read: ReadCommit): void {
    let bytes = read.snapshot.entries.length * BYTES_PER_ENTRY;
    for (const text of read.snapshot.contents.values()) bytes += text.length * 2;
    this.#keep(`${repository} ${commit}`, read, bytes);
  }

  /** `against`: what the forge said the change starts from; the commit compared with is where both parted. */
  keepDifference(repository: RepositoryId, against: CommitId, head: CommitId, difference: Difference): void {
    const bytes = (difference.changes.length + 1) * BYTES_PER_ENTRY;
    this.#keep(`${repository} ${against} ${head}`, difference, bytes);
  }

  #comparison(repository: RepositoryId, { base, head }: Change): Comparison | null {
    // Without a commit to compare with, the answer depends on where a branch stands now.
    if (base === null) return null;
    const difference = this.#take(`${repository} ${base} ${head}`);
    if (difference === null || !('changes' in difference)) return null;
    const before = this.commit(repository, difference.base);
    if (before === null) return null;
    return { kind: 'changes', commit: difference.base, snapshot: before.snapshot, changes: difference.changes };
  }

  #take(key: string): Kept['value'] | null {
    const kept = this.#kept.get(key);
    if (kept === undefined) return null;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept.value;
  }

  #keep(key: string, value: Kept['value'], bytes: number): void {
    this.#drop(key);
    if (bytes > this.#bytesMax) return;
    this.#kept.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }
}
