import type { Invariant } from './invariants/tally.ts';

/** A known mistake: what the source would say, and which invariants find out. */
export interface Mutant {
  readonly name: string;
  /** Each place stands in its file (a path in the repository) exactly once; otherwise the mutant cannot be loaded. */
  readonly changes: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
  /** Any of these counts as caught; something else that breaks does not. */
  readonly caughtBy: readonly Invariant[];
}
