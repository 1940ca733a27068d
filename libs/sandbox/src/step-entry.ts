import type { StepCommand } from './sandbox-executor.ts';
import { STARTED_MARK } from './supervise-step.ts';

/**
 * The shell that every step passes through, outside and inside its sandbox. Programs are named by absolute path and
 * everything variable is an argument, so nothing a job says is ever read as shell outside its sandbox.
 */

const SHELL = '/bin/sh';

/**
 * Outside: joins the control groups by writing 0 (oneself) to each file before `--`, then becomes the launcher. All
 * that follows is born inside the groups. Core dumps would land on the host.
 */
const JOIN_GROUPS = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 125; shift; done; shift; ulimit -c 0; exec "$@"';

/** Shells disagree about the letter for the number of processes: `-u` in bash, `-p` in dash and ash. */
const LIMIT_PROCESSES = '[ -z "$1" ] || ulimit -u "$1" 2>/dev/null || ulimit -p "$1" || exit 125; shift';
const LIMIT_DATA = '[ -z "$1" ] || ulimit -d "$1" || exit 125; shift';

/** Says on the launcher's own stderr that the sandbox stands, then gives stderr to the step. */
const HAND_OVER = `printf '${STARTED_MARK.trimEnd()}\\n' >&2; exec 2>&1; cd -- "$1" || exit 126; shift`;

/** Names under which a step's variables wait until nothing but the step can be changed by them. */
const HELD = 'DELTA_HELD_';

/** Gives the step the variables that were held back, whose names come before `--`. What the shell says to that nobody hears. */
const GIVE_VARIABLES = `while [ "$1" != -- ]; do eval "$1=\\$${HELD}$1; export $1"; unset "${HELD}$1"; shift; done 2>/dev/null; shift`;

const ENTER = [LIMIT_PROCESSES, LIMIT_DATA, GIVE_VARIABLES, HAND_OVER].join('; ');

/** As the sandbox's first process the shell stays, reaps orphans, and takes all that is left with it when it ends. */
const STAY = '(exec "$@"); exit $?';
const BECOME = 'exec "$@"';

export type EntryLimits = {
  /** Processes of the sandbox, where no control group counts them; null for no limit of this kind. */
  readonly processes: number | null;
  /** Private memory of any one process, where no control group sums it up. */
  readonly dataBytes: number | null;
};

export const argumentsOf = (command: StepCommand): readonly string[] =>
  command.kind === 'argv' ? command.argv : [SHELL, '-e', '-c', command.script];

const text = (value: number | null): string => (value === null ? '' : String(value));

/**
 * The command that runs inside: limits, variables, directory, then the step. `first` when it is the first process of its world.
 * @param held names of variables that were held back
 */
export function insideCommand(
  command: StepCommand,
  directory: string,
  limits: EntryLimits,
  first: boolean,
  held: readonly string[] = [],
): readonly [string, ...string[]] {
  const dataKib = limits.dataBytes === null ? null : Math.ceil(limits.dataBytes / 1024);
  const script = `${ENTER}; ${first ? STAY : BECOME}`;
  const given = [text(limits.processes), text(dataKib), ...held, '--', directory];
  return [SHELL, '-c', script, 'sh', ...given, ...argumentsOf(command)];
}

/** Variables that some shell keeps for itself, refuses to be given or changes on the way. */
const KEPT_BY_SHELLS =
  /^(?:BASH.*|DIRSTACK|EUID|EXECIGNORE|FUNCNAME|FUNCNEST|GROUPS|HISTCMD|HISTSIZE|IFS|LINENO|OPTARG|OPTIND|PPID|PS4|RANDOM|SECONDS|SHELLOPTS|SHLVL|UID|_)$/;

/** Whether a variable of this name does not come through a shell as it is. */
export const isKeptByShells = (name: string): boolean => KEPT_BY_SHELLS.test(name);

/** A step's variables as its launcher has them: as they are, or under another name until the inside command gives them. */
export type HeldBack = { readonly env: Readonly<Record<string, string>>; readonly names: readonly string[] };

/**
 * Holds a step's variables back from whatever runs on the way to it: programs that still have rights the step does not get load
 * libraries, locales and settings that variables name. Those that shells keep for themselves mean nothing to such programs, and
 * would not come through a shell.
 */
export function holdBack(env: Readonly<Record<string, string>>): HeldBack {
  const isHeld = (name: string): boolean => !isKeptByShells(name);
  const held = Object.entries(env).map(([name, value]) => [isHeld(name) ? `${HELD}${name}` : name, value] as const);
  // One whose name begins like that of one held is longer: it is given after the other was.
  const names = Object.keys(env)
    .filter(isHeld)
    .sort((one, other) => one.length - other.length);
  return { env: Object.fromEntries(held), names };
}

/** The command that waits inside, under the limits of its control group, until `gateWords` on its stdin tell it what to become. */
export const WAITING_COMMAND: readonly [string, ...string[]] = [SHELL, '-s'];

/** One word of the shell that means exactly these characters. */
export const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;

/**
 * What a waiting command is told: environment, directory and command, for the shell to read, inside the sandbox and as the
 * job's user. What the shell has to say to that (about locales that are not installed) nobody hears: on the launcher's own
 * stderr stands the mark of a step alone. Its last line closes the gate and becomes the step; it is read whole before any of
 * it is done, so words that break off run nothing. Null when a variable would not come through a shell as it is. Names are
 * those that `refuseStep` lets pass. `first`: see `insideCommand`.
 */
export function gateWords(
  command: StepCommand,
  directory: string,
  env: Readonly<Record<string, string>>,
  first: boolean,
): string | null {
  if (Object.keys(env).some(isKeptByShells)) return null;
  const lines = [
    'exec 3>&2 2>/dev/null',
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`),
    `set -- ${[directory, ...argumentsOf(command)].map(quoted).join(' ')}`,
    `{ exec 2>&3 3>&-; ${HAND_OVER}; exec </dev/null; ${first ? STAY : BECOME}; }`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** The command that runs outside: joins the groups, then becomes `launcher`. */
export const outsideCommand = (
  joinFiles: readonly string[],
  launcher: readonly string[],
): readonly [string, ...string[]] => [SHELL, '-c', JOIN_GROUPS, 'sh', ...joinFiles, '--', ...launcher];
