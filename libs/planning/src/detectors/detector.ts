import type { Discovery } from '../model.ts';
import type { DetectorMemory, RepositoryView } from '../tracing/repository-view.ts';

/** One ecosystem: which files describe it, and what they say. A new ecosystem is a new file and a line in the list. */
export interface Detector {
  readonly ecosystem: string;
  /** For the message that nothing was found: what would have been recognised. */
  readonly lookedFor: string;
  /** Whether the detector needs the contents of this file. Where there is no such file it is not asked, and finds nothing. */
  readonly wants: (path: string) => boolean;
  /**
   * For wanted files of which a repository may have tens of thousands: what is kept in place of their text, and found
   * under their path in a snapshot's contents. Null for files that are kept whole. Depends on path and text alone, so it
   * is done once for each blob.
   */
  readonly condense: ((path: string, text: string) => string | null) | null;
  /** Further files that are wanted, and condensed, in repositories of a certain shape alone; null for those of another. */
  readonly wantsAmong?: (listed: RepositoryView['listed']) => FurtherWants | null;
  /**
   * For what is often a part of something else: its units are left out where an ecosystem that comes before it in the list
   * has commands for a folder above theirs (`below`), or for the same one or those that they go into (`any`).
   */
  readonly givesWay?: 'below' | 'any';
  /**
   * Looks at a snapshot through a view that notes what it was asked, and is asked again when any of that has another answer.
   * What it remembers may only spare it work.
   */
  readonly detect: (view: RepositoryView, memory: DetectorMemory) => Discovery;
}

export interface FurtherWants {
  /** Equal for those who want the same of any paths. */
  readonly key: string;
  readonly wants: (path: string) => boolean;
}
