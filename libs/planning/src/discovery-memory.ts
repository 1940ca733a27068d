import type { DetectorMemory } from './detectors/detector.ts';
import { LockMemory } from './javascript/lock-memory.ts';
import type { Discovery, RepositorySnapshot, SnapshotEntry } from './model.ts';

/**
 * What was discovered of a few snapshots, for others that are nearly equal to them: of what a commit touched nothing may
 * concern a detector. Handed in by whoever plans often; with it and without it the same is discovered, byte for byte.
 * Bounded: it keeps the last few snapshots, and none that is larger than it may hold.
 */
export class DiscoveryMemory {
  readonly #bytesMax: number;
  readonly detectors: DetectorMemory = { locks: new LockMemory() };
  #kept: readonly KeptDiscovery[] = [];

  /** @param bytesMax of each snapshot, reckoned by its paths and texts */
  constructor(bytesMax: number = BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** The kept snapshot that is most like this one, and where they differ; null when none is at all like it. */
  closest(snapshot: RepositorySnapshot): { readonly kept: KeptDiscovery; readonly difference: Difference } | null {
    let closest: { kept: KeptDiscovery; difference: Difference } | null = null;
    for (const kept of this.#kept) {
      const difference = differenceBetween(kept.snapshot, snapshot);
      if (difference !== null && (closest === null || sizeOf(difference) < sizeOf(closest.difference))) {
        closest = { kept, difference };
      }
      if (difference !== null && isNone(difference)) break;
    }
    return closest;
  }

  /** As the one used last; the longest unused is forgotten. */
  keep(used: KeptDiscovery): void {
    if (weightOf(used.snapshot) > this.#bytesMax) return;
    this.#kept = [used, ...this.#kept.filter((each) => each !== used)].slice(0, KEPT_MAX);
  }
}

/** One snapshot, its entries in order, with what each detector found and what came of it all. */
export interface KeptDiscovery {
  readonly snapshot: RepositorySnapshot;
  /** In the order of detectors. */
  readonly found: readonly Discovery[];
  readonly whole: Discovery;
}

/** Where two snapshots differ in what discovery may look at. */
export interface Difference {
  /** Paths that only one of them has, or that are of another type. */
  readonly listed: readonly string[];
  /** Paths whose contents differ, or are there in one of them only. */
  readonly contents: readonly string[];
}

/** Both sides of a change, under two policies. */
const KEPT_MAX = 4;
/** A repository of fifty thousand files, or one with manifests of a size that few have. */
const BYTES_MAX = 32 * 1_024 ** 2;
const BYTES_PER_ENTRY = 250;
/** Snapshots that differ in more are not worth comparing to their end. */
const DIFFERENCES_MAX = 2_000;

export const isNone = ({ listed, contents }: Difference): boolean => listed.length + contents.length === 0;

const sizeOf = ({ listed, contents }: Difference): number => listed.length + contents.length;

function weightOf({ entries, contents }: RepositorySnapshot): number {
  let bytes = entries.length * BYTES_PER_ENTRY;
  for (const text of contents.values()) bytes += text.length * 2;
  return bytes;
}

function differenceBetween(one: RepositorySnapshot, other: RepositorySnapshot): Difference | null {
  const listed = listedDifferences(one.entries, other.entries);
  const contents = listed === null ? null : contentDifferences(one.contents, other.contents);
  return listed === null || contents === null ? null : { listed, contents };
}

/** Goes through two ordered listings side by side. Where one path stands twice it is compared as often. */
function listedDifferences(one: readonly SnapshotEntry[], other: readonly SnapshotEntry[]): string[] | null {
  const differing: string[] = [];
  let [left, right] = [0, 0];
  while (left < one.length || right < other.length) {
    const [before, after] = [one[left], other[right]];
    if (before === after) {
      left += 1;
      right += 1;
      continue;
    }
    const beforeFirst = after === undefined || (before !== undefined && before.path < after.path);
    const afterFirst = before === undefined || (after !== undefined && after.path < before.path);
    if (beforeFirst) left += 1;
    else if (afterFirst) right += 1;
    else {
      left += 1;
      right += 1;
      if (before?.type === after?.type) continue;
    }
    differing.push((beforeFirst ? before : after)?.path ?? '');
    if (differing.length > DIFFERENCES_MAX) return null;
  }
  return differing;
}

function contentDifferences(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string[] | null {
  if (one === other) return [];
  const differing: string[] = [];
  for (const [path, text] of other) if (one.get(path) !== text) differing.push(path);
  if (differing.length > DIFFERENCES_MAX) return null;
  for (const path of one.keys()) if (!other.has(path)) differing.push(path);
  return differing.length > DIFFERENCES_MAX ? null : differing;
}
