import type { Host } from '../engine/host.ts';
import { engine, world } from '../engine/present.ts';
import { randomBytes } from './node-crypto.ts';
import { caller } from './pg.ts';

/** Stands in for the provisioner of processes: each runner is a host of its own and outlives its controller. */

interface RunnerEnd {
  readonly name: string;
  readonly runnerId: string | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
}

interface ProvisionerOptions {
  readonly namePrefix: string;
  readonly onChange: () => void;
  readonly onEnd: (end: RunnerEnd) => void;
}

interface Child {
  readonly name: string;
  runnerId: string | null;
  retiring: boolean;
  readonly retire: () => void;
}

export const RUNNER_GRACE_MS = 14_000;

export class ProcessProvisioner {
  readonly #options: ProvisionerOptions;
  readonly #host: Host = caller();
  readonly #children = new Map<string, Child>();
  #made = 0;

  constructor(options: ProvisionerOptions) {
    this.#options = options;
  }

  runners(): readonly Omit<Child, 'retire'>[] {
    return [...this.#children.values()];
  }

  start(): void {
    this.#made += 1;
    const name = `${this.#options.namePrefix}${this.#made}-${randomBytes(4).toString('hex')}`;
    const retire = world().startRunner(name, {
      registered: (runnerId) => this.#tell(`${name} registered`, () => this.#registered(name, runnerId)),
      ended: (exitCode, signal) => this.#tell(`${name} ended`, () => this.#ended(name, exitCode, signal)),
    });
    this.#children.set(name, { name, runnerId: null, retiring: false, retire });
    this.#options.onChange();
  }

  retire(name: string): void {
    const child = this.#children.get(name);
    if (child === undefined || child.retiring) return;
    child.retiring = true;
    child.retire();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #tell(what: string, act: () => void): void {
    engine().after(1, this.#host, what, act);
  }

  #registered(name: string, runnerId: string): void {
    const child = this.#children.get(name);
    if (child !== undefined) child.runnerId = runnerId;
    this.#options.onChange();
  }

  #ended(name: string, exitCode: number | null, signal: string | null): void {
    const child = this.#children.get(name);
    this.#children.delete(name);
    this.#options.onEnd({ name, runnerId: child?.runnerId ?? null, exitCode, signal });
  }
}
