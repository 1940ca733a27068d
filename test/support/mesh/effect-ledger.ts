import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, constants, openSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { AttemptRef } from '@delta-ci/contracts';

/**
 * What jobs really did, written down by themselves and outside the log. A sandbox shows its job no place to write to; a
 * named pipe in a directory it sees read-only takes a line all the same, and this end of it keeps every line in a file.
 * Lines are shorter than what a pipe takes at once, so those of different jobs do not mix.
 */
export class EffectLedger {
  /** One line per effect, in the order they came: `<start|end> <run> <job> <attempt>`. */
  readonly file: string;
  readonly #pipe: string;
  readonly #incoming: Socket;

  /**
   * @param sharedDirectory what sandboxes see of the test
   * @param file where the ledger is kept: nothing a job can reach
   */
  constructor(sharedDirectory: string, file: string) {
    this.file = file;
    this.#pipe = join(sharedDirectory, 'effects');
    writeFileSync(file, '');
    execFileSync('mkfifo', [this.#pipe]);
    // Jobs have user ids of their own.
    chmodSync(this.#pipe, 0o622);
    // Opened for writing too, so that the pipe does not end whenever the last job that wrote to it has ended.
    const descriptor = openSync(this.#pipe, constants.O_RDWR | constants.O_NONBLOCK);
    this.#incoming = new Socket({ fd: descriptor, readable: true, writable: false });
    this.#incoming.on('data', (chunk) => appendFileSync(file, chunk));
  }

  /** The steps of a job, with a line in the ledger before the first and after the last. */
  kept(...steps: readonly string[]): string[] {
    return [this.#step('start'), ...steps, this.#step('end')];
  }

  /** For executors that are part of a test: what a job would have written. */
  note(kind: 'start' | 'end', { runId, jobKey, attempt }: AttemptRef): void {
    appendFileSync(this.file, `${kind} ${runId} ${jobKey} ${attempt}\n`);
  }

  close(): void {
    this.#incoming.destroy();
  }

  #step(kind: 'start' | 'end'): string {
    return `printf '${kind} %s %s %s\\n' "$DELTA_RUN_ID" "$DELTA_JOB" "$DELTA_ATTEMPT" > ${this.#pipe}`;
  }
}
