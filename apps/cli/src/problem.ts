/** What `delta` ends with. `canceled` is what a shell says of a program that was interrupted. */
export const EXIT = { succeeded: 0, failed: 1, usage: 2, notJudged: 3, canceled: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Something that keeps a command from being done, in words for the person who gave it, and what to do about it. */
export class Problem extends Error {
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly next: string | null;

  constructor(code: string, message: string, { exitCode = EXIT.usage, next = null }: ProblemOptions = {}) {
    super(message);
    this.name = 'Problem';
    this.code = code;
    this.exitCode = exitCode;
    this.next = next;
  }
}

export interface ProblemOptions {
  readonly exitCode?: ExitCode;
  /** What the person may do now. */
  readonly next?: string | null;
}
