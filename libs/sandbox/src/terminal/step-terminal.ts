import { join } from 'node:path';
import type { Gate } from '../launch-step.ts';
import { refusal, type Refusal } from '../refusal.ts';
import type { StepCommand, StepSpec } from '../sandbox-executor.ts';
import { argumentsOf, quoted } from '../step-entry.ts';

/**
 * A step's terminal is made by `script` of util-linux, inside the sandbox and as the job's user: keys come to it by one pipe
 * and sizes by another, and what is shown leaves by the pipe of all output. A terminal of the host's, into which a job could
 * type for whoever sits there, is nowhere in it.
 */

/** The named pipes of a sandbox's terminals, one step at a time. */
const pipesIn = (directory: string): { readonly gate: string; readonly sizes: string } => ({
  gate: join(directory, 'keys'),
  sizes: join(directory, 'sizes'),
});

export const terminalPipes = (directory: string): readonly string[] => Object.values(pipesIn(directory));

/** The pipes a step is launched with. */
export const terminalPipesOf = (
  { terminal }: StepSpec,
  directory: string,
): { readonly gate: Gate | null; readonly sizes: string | null } => {
  if (terminal === undefined) return { gate: null, sizes: null };
  const { gate, sizes } = pipesIn(directory);
  return { gate: { pipe: gate, words: null }, sizes };
};

/** What a tier answers that gives no step a terminal; null for a step that asks for none. */
export const refuseTerminal = ({ terminal }: StepSpec, tier: string): Refusal | null =>
  terminal === undefined ? null : refusal('terminal_unsupported', `tier ${tier} gives no step a terminal`);

const MISSING =
  'command -v script >/dev/null && command -v stty >/dev/null || { echo "[delta] no terminal can be made here: it takes the programs script (of util-linux) and stty"; exit 127; }';

/** On the terminal: takes its first size, has a process of its own take those that follow, and becomes the command. */
const commandOn = (sizesFd: number, words: readonly string[]): string =>
  [
    'export SHELL="$DELTA_HELD_SHELL"; unset DELTA_HELD_SHELL; set -- "$(tty)"',
    `read -r DELTA_SIZE <&${sizesFd}; stty $DELTA_SIZE`,
    `{ trap '' TSTP TTIN TTOU; while read -r DELTA_SIZE <&${sizesFd}; do stty -F "$1" $DELTA_SIZE; done; } </dev/null >/dev/null 2>&1 &`,
    `exec ${sizesFd}<&-; unset DELTA_SIZE; exec ${words.map(quoted).join(' ')}`,
  ].join('\n');

/**
 * What a step runs: its command, on a terminal if it is to have one.
 * @param sizesFd where it is told sizes
 */
export function onTerminal({ terminal, command }: StepSpec, sizesFd: number): StepCommand {
  if (terminal === undefined) return command;
  const script = [
    MISSING,
    'export DELTA_HELD_SHELL="${SHELL:-/bin/sh}" SHELL=/bin/sh',
    // Keys do not come from a terminal, so that nothing but this one shows them.
    `exec script --quiet --flush --return --echo always --command ${quoted(commandOn(sizesFd, argumentsOf(command)))} /dev/null`,
  ].join('\n');
  return { kind: 'script', script };
}
