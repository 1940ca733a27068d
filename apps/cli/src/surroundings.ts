import type { Paint } from './screen/paint.ts';
import type { PersonsTerminal } from './screen/persons-terminal.ts';
import { safeJson } from './screen/safe-text.ts';

/** Everything a command gets from outside: where it runs, what it may read, and where its words go. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Working directory, absolute. */
  readonly directory: string;
  /** Answers: standard output. Bytes are passed on as they are. */
  readonly out: (text: string | Uint8Array) => void;
  /** Everything said besides the answer: standard error. */
  readonly err: (text: string) => void;
  readonly paint: Paint;
  /** Width of the terminal in columns; null when the output goes elsewhere. */
  readonly columns: number | null;
  /** Aborted by Ctrl-C and when this process is told to end; the reason is the signal's name. */
  readonly interrupted: AbortSignal;
  readonly nowMs: () => number;
  /** The terminal somebody sits at; null when input or output is something else. */
  readonly terminal: PersonsTerminal | null;
}

/** An environment variable; one that is empty is one that is not set. */
export function variable({ environment }: Pick<Surroundings, 'environment'>, name: string): string | null {
  const value = environment[name];
  return value === undefined || value === '' ? null : value;
}

/** One document for machines. */
export function printJson({ out }: Pick<Surroundings, 'out'>, value: unknown): void {
  out(`${safeJson(value, 2)}\n`);
}
