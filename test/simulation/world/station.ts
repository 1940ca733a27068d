import type { Host } from '../engine/host.ts';
import type { SimulatedService } from './simulated-service.ts';

/** Boots a fresh process of a service. */
export type Boot = () => { host: Host; service: SimulatedService };

/** A place where a service runs: whoever supervises it starts it again when it is gone. */
export class Station {
  readonly name: string;
  readonly #boot: Boot;
  #current: { host: Host; service: SimulatedService };

  constructor(name: string, boot: Boot) {
    this.name = name;
    this.#boot = boot;
    this.#current = boot();
  }

  get host(): Host {
    return this.#current.host;
  }

  get service(): SimulatedService {
    return this.#current.service;
  }

  /** Whether it takes part at this moment. */
  get isServing(): boolean {
    return this.host.isRunning && this.service.served !== null;
  }

  restart(): void {
    if (!this.host.isAlive) this.#current = this.#boot();
  }
}
