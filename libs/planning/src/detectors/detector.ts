import type { Discovery, RepositorySnapshot } from '../model.ts';

/** One ecosystem: which files describe it, and what they say. A new ecosystem is a new file and a line in the list. */
export interface Detector {
  readonly ecosystem: string;
  /** For the message that nothing was found: what would have been recognised. */
  readonly lookedFor: string;
  /** Whether the detector needs the contents of this file. */
  readonly wants: (path: string) => boolean;
  readonly detect: (snapshot: RepositorySnapshot) => Discovery;
}
