import { LockMemory } from './javascript/lock-memory.ts';
import type { Discovery, RepositorySnapshot } from './model.ts';
import type { Answers } from './tracing/answers.ts';
import { differenceBetween, sizeOf, type Difference } from './tracing/difference.ts';
import type { Listing } from './tracing/listing.ts';
import { ParsedTexts } from './tracing/parsed-texts.ts';
import type { DetectorMemory } from './tracing/repository-view.ts';

/**
 * What was discovered of a few snapshots, for others that are nearly equal to them: of what a commit touched nothing may
 * concern a detector. Handed in by whoever plans often; with it and without it the same is discovered, byte for byte.
 * Bounded: it keeps the last few snapshots, and none that is larger than it may hold.
 */
export class DiscoveryMemory {
  readonly #bytesMax: number;
  readonly detectors: DetectorMemory = { locks: new LockMemory() };
  readonly parsed = new ParsedTexts();
  #kept: readonly KeptDiscovery[] = [];

  /** @param bytesMax of each snapshot, reckoned by its paths and texts */
  constructor(bytesMax: number = BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** What was discovered of this very snapshot; null when it is not kept, or not known to be the same. */
  recall({ entries, contents }: RepositorySnapshot): KeptDiscovery | null {
    const same = this.#kept.find(({ snapshot }) => snapshot.entries === entries && snapshot.contents === contents);
    if (same !== undefined) this.keep(same);
    return same ?? null;
  }

  /** The kept snapshot that is most like this one, and where they differ; null when none is at all like it. */
  closest(snapshot: RepositorySnapshot): { readonly kept: KeptDiscovery; readonly difference: Difference } | null {
    let closest: { kept: KeptDiscovery; difference: Difference } | null = null;
    for (const kept of this.#kept) {
      const difference = differenceBetween(kept.snapshot, snapshot);
      if (difference !== null && (closest === null || sizeOf(difference) < sizeOf(closest.difference))) {
        closest = { kept, difference };
      }
      if (difference !== null && sizeOf(difference) === 0) break;
    }
    return closest;
  }

  /**
   * As the one used last; the longest unused is forgotten.
   * @param inPlaceOf the same with another snapshot in which everything that may be looked at is as in this one
   */
  keep(used: KeptDiscovery, inPlaceOf: KeptDiscovery = used): void {
    if (weightOf(used.snapshot) > this.#bytesMax) return;
    this.#kept = [used, ...this.#kept.filter((each) => each !== inPlaceOf)].slice(0, KEPT_MAX);
  }
}

/** One snapshot, its entries in order, with what was found out about it and what came of it all. */
export interface KeptDiscovery {
  readonly snapshot: RepositorySnapshot;
  readonly listing: Listing;
  /** What detectors wanted because of the repository's shape: with more or less of it, answers are not comparable. */
  readonly shape: string;
  /** By what may be seen: detectors that want the same share what they find out. */
  readonly answers: ReadonlyMap<(path: string) => boolean, Answers>;
  /** In the order of detectors. */
  readonly found: readonly Discovery[];
  readonly links: readonly Link[];
  readonly whole: Discovery;
}

/** A symbolic link, and where it leads in the repository. */
export interface Link {
  readonly path: string;
  readonly target: string;
  /** Whether a file lies there; otherwise it leads to a folder, to nothing, or through another link. */
  readonly toFile: boolean;
}

/** Both sides of a change, under two policies. */
const KEPT_MAX = 4;
/** A repository of fifty thousand files, or one with manifests of a size that few have. */
const BYTES_MAX = 32 * 1_024 ** 2;
const BYTES_PER_ENTRY = 250;

function weightOf({ entries, contents }: RepositorySnapshot): number {
  let bytes = entries.length * BYTES_PER_ENTRY;
  for (const text of contents.values()) bytes += text.length * 2;
  return bytes;
}
