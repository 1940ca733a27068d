import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { RunnerId } from '@delta-ci/contracts';
import type { ProvisionedRunner, Provisioner, RunnerEnd } from './provisioner.ts';

export interface ProcessProvisionerOptions {
  entry: string;
  /** Each runner works in `<directory>/<slot>`. */
  directory: string;
  /** What every runner gets; nothing is inherited besides. */
  env: Readonly<Record<string, string>>;
  /** First part of the names: tells this controller's runners from those of others. */
  namePrefix: string;
  onChange: () => void;
  onEnd: (end: RunnerEnd) => void;
  onLine: (name: string, line: string) => void;
}

/** Runners hand their jobs back within this: more than killing a job takes, less than the controller's own grace of 20 s. */
export const RUNNER_GRACE_MS = 14_000;
/** One that takes longer hangs, and is killed while the controller is still there to do it. */
const END_GRACE_MS = RUNNER_GRACE_MS + 3_000;

interface Child extends ProvisionedRunner {
  process: ChildProcess;
  slot: number;
  ended: Promise<void>;
}

/** Runners as processes of this host. They outlive a controller that crashes: they finish their job and leave. */
export class ProcessProvisioner implements Provisioner {
  readonly #options: ProcessProvisionerOptions;
  readonly #children = new Map<string, Child>();

  constructor(options: ProcessProvisionerOptions) {
    this.#options = options;
  }

  runners(): readonly ProvisionedRunner[] {
    return [...this.#children.values()].map(({ name, runnerId, retiring }) => ({ name, runnerId, retiring }));
  }

  start(): void {
    const slot = this.#freeSlot();
    const name = `${this.#options.namePrefix}${slot}-${randomBytes(4).toString('hex')}`;
    const directory = join(this.#options.directory, String(slot));
    mkdirSync(directory, { recursive: true, mode: 0o711 });
    const env = { ...this.#options.env, DELTA_DATA_DIR: directory, DELTA_RUNNER_NAME: name };
    // By the flags that were found good for us: where stacks are told in source lines, theirs are too.
    const started = spawn(process.execPath, [...process.execArgv, this.#options.entry], {
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.#follow(name, slot, started);
    this.#options.onChange();
  }

  retire(name: string): void {
    const child = this.#children.get(name);
    if (child === undefined || child.retiring) return;
    child.retiring = true;
    if (child.process.connected) child.process.send({ retire: true }, () => undefined);
  }

  async close(): Promise<void> {
    const children = [...this.#children.values()];
    for (const { process: child } of children) child.kill('SIGTERM');
    const force = setTimeout(() => {
      for (const { process: child } of children) child.kill('SIGKILL');
    }, END_GRACE_MS);
    await Promise.all(children.map(async ({ ended }) => ended));
    clearTimeout(force);
  }

  #freeSlot(): number {
    const taken = new Set([...this.#children.values()].map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    return slot;
  }

  #follow(name: string, slot: number, child: ChildProcess): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const entry: Child = { name, slot, process: child, runnerId: null, retiring: false, ended: promise };
    this.#children.set(name, entry);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#options.onLine(name, line));
    }
    child.on('message', (message) => this.#hear(entry, message));
    const end = (exitCode: number | null, signal: string | null): void => {
      if (!this.#children.delete(name)) return;
      resolve();
      this.#options.onEnd({ name, runnerId: entry.runnerId, exitCode, signal });
    };
    child.once('exit', end);
    // Also told when a message or a signal could not be sent: only a process that never began has ended by that.
    child.on('error', () => {
      if (child.pid === undefined) end(null, null);
    });
  }

  #hear(child: Child, message: unknown): void {
    if (typeof message !== 'object' || message === null || !('registered' in message)) return;
    const runnerId = RunnerId.safeParse(message.registered);
    if (!runnerId.success) return;
    child.runnerId = runnerId.data;
    this.#options.onChange();
  }
}
