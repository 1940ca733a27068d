import { mkdtemp, rm, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeOnDeath } from '../bootstrap/index.mjs';

/** What a measure was told when it was interrupted. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

/**
 * Everything a measure opened, closed in reverse order: at its end, when it fails, or when somebody presses Ctrl-C in the
 * middle of it. What is still opening then is closed as soon as it is open.
 */
export class Scene {
  readonly #closings: (() => unknown)[] = [];
  readonly #over = new AbortController();

  /** Aborts when the scene ends: loops of load generators end on it. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  async open<T>(open: () => T | Promise<T>, close: (opened: T) => unknown): Promise<T> {
    if (this.over.aborted) throw new Interrupted();
    const opened = await open();
    if (this.over.aborted) {
      await close(opened);
      throw new Interrupted();
    }
    this.#closings.push(() => close(opened));
    return opened;
  }

  /** A part with a scene of its own, which ends when the part does. */
  async part<T>(act: (part: Scene) => Promise<T>): Promise<T> {
    const part = await this.open(
      () => new Scene(),
      async (opened) => opened.end(),
    );
    try {
      return await act(part);
    } finally {
      await part.end();
    }
  }

  /** A directory that servers of other accounts can enter, deleted at the end and also if we are killed. */
  async directory(name: string): Promise<string> {
    const made = async () => {
      const path = await mkdtemp(join(tmpdir(), `delta-bench-${name}-`));
      await chmod(path, 0o755);
      return { path, leash: removeOnDeath(path) };
    };
    const { path } = await this.open(made, async (opened) => {
      await rm(opened.path, { recursive: true, force: true });
      opened.leash.release();
    });
    return path;
  }

  /** Closes everything, whatever fails meanwhile. @throws the first failure, when all is closed */
  async end(): Promise<void> {
    this.#over.abort();
    const failures: unknown[] = [];
    for (let close = this.#closings.pop(); close !== undefined; close = this.#closings.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
