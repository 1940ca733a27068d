import { createWriteStream, mkdirSync, renameSync, statSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';

/** A log file that grew beyond this is set aside at the next start; one older file is kept. */
const ROTATE_BYTES = 32 * 1024 * 1024;
/** Lines shown when a service cannot start. */
const TAIL_LINES = 20;

/** Where one service's lines go: its own file, and optionally a live view. */
export class LogSink {
  readonly path: string;
  readonly #file: WriteStream;
  readonly #live: ((line: string) => void) | null;
  readonly #tail: string[] = [];
  #open = true;

  constructor(directory: string, name: string, live: ((line: string) => void) | null = null) {
    mkdirSync(directory, { recursive: true });
    this.path = join(directory, `${name}.log`);
    setAside(this.path);
    this.#file = createWriteStream(this.path, { flags: 'a', mode: 0o600 });
    this.#live = live;
  }

  /** What a process's last words take to arrive is not waited for without end: after `close` only the tail hears them. */
  write(line: string): void {
    if (this.#open) this.#file.write(`${line}\n`);
    this.#tail.push(line);
    if (this.#tail.length > TAIL_LINES) this.#tail.shift();
    this.#live?.(line);
  }

  /** The last lines, for messages about why a service ended. */
  tail(): readonly string[] {
    return this.#tail;
  }

  async close(): Promise<void> {
    this.#open = false;
    await new Promise<void>((resolve) => this.#file.end(() => resolve()));
  }
}

function setAside(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined && found.size > ROTATE_BYTES) renameSync(path, `${path}.1`);
}
