import { spawn, type ChildProcess } from 'node:child_process';
import { runOnDeath } from '../../bootstrap/index.mjs';

/** The end of what a runner printed: enough to see why it ended. */
const OUTPUT_CHARACTERS_MAX = 8_000;

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A runner under test: any program, in a process group of its own. */
export class RunnerProcess {
  readonly #child: ChildProcess;
  /** Ends its group should we die without doing so. */
  readonly #watch: { release: () => void } | null;
  #output = '';
  #ending: Ending | null = null;
  #startProblem: string | null = null;

  /** @param changed called when it has ended */
  constructor(command: readonly string[], env: NodeJS.ProcessEnv, cwd: string, changed: () => void) {
    const [program = '', ...args] = command;
    this.#child = spawn(program, args, { env, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const { pid } = this.#child;
    this.#watch = pid === undefined ? null : runOnDeath(`kill -s KILL -- -${pid}`);
    const keep = (more: string): void => {
      this.#output = (this.#output + more).slice(-OUTPUT_CHARACTERS_MAX);
    };
    this.#child.stdout?.setEncoding('utf8').on('data', keep);
    this.#child.stderr?.setEncoding('utf8').on('data', keep);
    this.#child.once('error', (error) => {
      this.#startProblem = `${program} cannot be started: ${error.message}`;
      this.#ending = { code: null, signal: null };
      changed();
    });
    this.#child.once('exit', (code, signal) => {
      this.#ending = { code, signal };
      changed();
    });
  }

  /** The end of what it printed. */
  get output(): string {
    return this.#output;
  }

  /** How it ended; null while it lives. */
  get ending(): Ending | null {
    return this.#ending;
  }

  /** Why it never was; null when it was started. */
  get startProblem(): string | null {
    return this.#startProblem;
  }

  /** Asks it to end, as a service manager does. */
  terminate(): void {
    if (this.#ending === null) this.#child.kill('SIGTERM');
  }

  /** Ends whatever is left of its group. */
  destroy(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody is left of it.
    }
    this.#watch?.release();
  }
}

export const endingText = (ending: Ending | null): string =>
  ending === null
    ? 'it still runs'
    : ending.signal === null
      ? `exit code ${ending.code}`
      : `killed by ${ending.signal}`;
