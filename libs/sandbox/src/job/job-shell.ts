import type { JobStep } from '@delta-ci/contracts';
import type { OutputSink, Sandbox, StepOutcome, TerminalInput } from '../sandbox-executor.ts';
import type { JobResult } from './reported-step.ts';

/** A job one of whose steps failed, with its sandbox as the last step left it. */
export type HeldJob = {
  /** The first that failed. */
  readonly step: JobStep;
  readonly result: JobResult;
  /** Opens a shell in the sandbox and settles when nothing of it is alive; one at a time. */
  readonly openShell: (person: ShellUser) => Promise<StepOutcome>;
};

/** Whoever sits at the shell. */
export type ShellUser = {
  readonly terminal: ReadableStream<TerminalInput>;
  /** What kind their terminal is, as `TERM` names it. */
  readonly term: string;
  readonly output: OutputSink;
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number | null;
  /** Ends the shell. */
  readonly signal: AbortSignal;
};

/** Holds the script of the step that failed, so that it can be given again as it was. */
export const FAILED_STEP_VARIABLE = 'DELTA_STEP';

/** How a shell of the step's has it again, with what made it fail. */
export const AGAIN = `sh -e -c "$${FAILED_STEP_VARIABLE}"`;

/** Bash where there is one; its prompt says where one is. */
const shellFor = (key: string): string =>
  [
    'if command -v bash >/dev/null',
    String.raw`then PS1='(${key}) \w \$ '; PROMPT_DIRTRIM=2; export PS1 PROMPT_DIRTRIM; exec bash --norc -i`,
    'fi',
    'exec sh -i',
  ].join('\n');

/** Which step it was, of which job, and its variables. */
export type FailedStep = {
  readonly key: string;
  readonly step: JobStep;
  readonly env: Readonly<Record<string, string>>;
};

/** A shell beside what a failed step left: same files, variables, directory, limits and network. */
export async function openShell(
  sandbox: Sandbox,
  { key, step: { run, workdir }, env }: FailedStep,
  { terminal, term, output, timeoutMs, idleTimeoutMs, signal }: ShellUser,
): Promise<StepOutcome> {
  return sandbox.run(
    {
      command: { kind: 'script', script: shellFor(key) },
      terminal,
      workdir,
      env: { ...env, TERM: term, [FAILED_STEP_VARIABLE]: run },
      timeoutMs,
      idleTimeoutMs,
      signal,
    },
    output,
  );
}
