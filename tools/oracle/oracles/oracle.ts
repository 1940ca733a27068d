import type { OracleAnswer } from '../comparison/answer.ts';
import type { ChangedPlace } from '../comparison/differences.ts';

/** Where a clone of the repository lies for whoever is asked. */
export const CLONE_DIR = '/workspace/repo';

/** What a tool is asked about: one commit, which lies checked out in `CLONE_DIR`. */
export interface Question {
  readonly commit: string;
  /** Its first parent. */
  readonly base: string;
  readonly changed: readonly ChangedPlace[];
  /** Every path of the commit. */
  readonly paths: readonly string[];
}

/** A tool of some ecosystem that knows by itself what depends on what. */
export interface Oracle {
  readonly name: string;
  /** What is asked of it, for people. */
  readonly asks: string;
  /** Whose word it is about: ids of programs in the toolbox. */
  readonly program: 'nx' | 'turbo' | 'pnpm' | 'go' | 'cargo';
  /** What a commit lacks in order to be asked about, such as `no nx.json`; null when nothing. */
  readonly lacks: (paths: readonly string[]) => string | null;
  /**
   * A script for `sh -e` in the checked-out clone, whose output is the answer. Without network, bounded in time and memory;
   * programs of the toolbox are named by variables (`$NX`), the commits are `$COMMIT` and `$BASE`.
   */
  readonly script: (question: Question) => string;
  /** Whether the answer about the commit before has to be known as well. */
  readonly comparesAnswers: boolean;
  /**
   * What the output means.
   * @param before what the script put out for the commit before; null where that was not asked
   * @throws {UnreadableAnswer} when it is not what the tool is known to say
   */
  readonly read: (output: string, before: string | null, question: Question) => OracleAnswer;
}

/** A tool said something that it is not known to say. */
export class UnreadableAnswer extends Error {
  constructor(oracle: string, message: string) {
    super(`${oracle} answered in a way that is not understood: ${message}`);
    this.name = 'UnreadableAnswer';
  }
}

/** A word of a shell script. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Files that have to be there, at the repository's root. */
export function lacking(...names: readonly string[]): Oracle['lacks'] {
  return (paths) => {
    const missing = names.find((name) => !paths.includes(name));
    return missing === undefined ? null : `no ${missing}`;
  };
}

/** Folder of a path as a tool gives it, absolute within the clone. */
export function folderInClone(path: string): string {
  const within = path === CLONE_DIR ? '.' : path.startsWith(`${CLONE_DIR}/`) ? path.slice(CLONE_DIR.length + 1) : null;
  if (within === null) throw new RangeError(`${path} does not lie in the clone`);
  return within;
}
