import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { PlannedJob } from '@delta-ci/contracts';
import { AGAIN, type HeldJob, type SandboxExecutor } from '@delta-ci/sandbox';
import { errorMessage } from '../../error-code.ts';
import { Problem } from '../../problem.ts';
import { safeLine } from '../../screen/safe-text.ts';
import type { PersonsTerminal } from '../../screen/persons-terminal.ts';
import { reasonOf } from '../run-jobs.ts';
import type { Surroundings } from '../../surroundings.ts';

/** A person decides how long a shell takes. Timers go no further than some 24 days. */
const SHELL_TIMEOUT_MS = 24 * 60 * 60_000;

/** The terminal for shells, or why there can be none, before anything is run. */
export function terminalForShells({ terminal }: Surroundings, json: boolean): PersonsTerminal {
  if (json) {
    throw new Problem(
      'invalid_options',
      'a shell is for people, and --json for machines: leave out --shell-on-failure',
    );
  }
  if (terminal !== null) return terminal;
  throw new Problem('no_terminal', '--shell-on-failure takes a terminal, for what is typed and for what is shown', {
    next: 'leave it out where input or output is a file or a pipe',
  });
}

/** Refuses where no shell could be opened later. */
export async function refuseWithoutShells({ tier }: SandboxExecutor): Promise<void> {
  if (tier === 'container') {
    throw new Problem('terminal_unsupported', '--shell-on-failure does not work in containers', {
      next: 'see `delta doctor` for what tier sandbox lacks here',
    });
  }
  const version = await promisify(execFile)('/usr/bin/script', ['--version']).catch((error: unknown) => ({
    stdout: errorMessage(error),
  }));
  if (version.stdout.includes('util-linux')) return;
  throw new Problem('terminal_unsupported', '--shell-on-failure takes the program `script` of util-linux', {
    next: 'install it: package bsdutils of Debian and Ubuntu, util-linux-script of Fedora, util-linux elsewhere',
  });
}

/** Lets the person into the sandbox of a job that failed, and settles when they are out of it. */
export async function openFailureShell(
  { out, err, paint, interrupted }: Surroundings,
  terminal: PersonsTerminal,
  tier: SandboxExecutor['tier'],
  { key }: PlannedJob,
  { step, result, openShell }: HeldJob,
): Promise<void> {
  if (interrupted.aborted) return;
  const where =
    tier === 'process'
      ? 'You are in its workspace, as yourself: nothing is kept from you here.'
      : "You are in its sandbox: files, variables, limits and network are the job's.";
  out(
    [
      '',
      paint.bold(`A shell for ${key}: ${safeLine(reasonOf(result))}`),
      `${where} Processes and /tmp of the step are gone.`,
      `  the step again: ${paint.bold(AGAIN)}    (step "${safeLine(step.name)}")`,
      `  out of here:    ${paint.bold('exit')} or Ctrl-D; Ctrl-] three times if nothing else helps`,
      '',
    ].join('\n'),
  );
  const { inputs, left, show, close } = terminal.open();
  try {
    const outcome = await openShell({
      terminal: inputs,
      term: terminal.term,
      output: show,
      timeoutMs: SHELL_TIMEOUT_MS,
      idleTimeoutMs: null,
      signal: AbortSignal.any([left, interrupted]),
    });
    if (outcome.kind === 'fault') err(`no shell: ${safeLine(outcome.refusal.message)}\n`);
  } finally {
    close();
  }
  out(`\nOut of the shell for ${key}: its sandbox is taken down.\n`);
}
