import { EventEmitter } from 'node:events';
import type { Engine } from '../engine/engine.ts';
import type { Host } from '../engine/host.ts';
import type { Product } from './product.ts';
import { ENVIRONMENT, type ServiceName } from './settings.ts';
import type { SimulatedService } from './simulated-service.ts';

/** Whoever provisioned a runner: told when it registered and how it ended. */
export interface RunnerParent {
  readonly registered: (runnerId: string) => void;
  readonly ended: (exitCode: number | null, signal: string | null) => void;
}

type MakeService = (host: Host, service: ServiceName, config: object) => SimulatedService;

/** The channel between a runner and its parent, as `process` has it. */
class Channel extends EventEmitter {
  connected = true;
  readonly #registered: RunnerParent['registered'];

  constructor(registered: RunnerParent['registered']) {
    super();
    this.#registered = registered;
  }

  send(message: unknown): boolean {
    if (typeof message === 'object' && message !== null && 'registered' in message)
      this.#registered(String(message.registered));
    return true;
  }
}

/** Disposable runners, each on a host of its own. */
export class Runners {
  readonly #engine: Engine;
  readonly #product: Product;
  readonly #serviceOn: MakeService;
  readonly #hosts = new Set<Host>();
  /** Names of those that end in order, or have. */
  readonly #unhurt = new Set<string>();

  constructor(engine: Engine, product: Product, serviceOn: MakeService) {
    this.#engine = engine;
    this.#product = product;
    this.#serviceOn = serviceOn;
  }

  get alive(): readonly Host[] {
    return [...this.#hosts];
  }

  /** Whether a runner is none of these, or was killed. */
  wasHurt(name: string): boolean {
    return !this.#unhurt.has(name);
  }

  /** As a machine that is switched off. */
  kill(host: Host): void {
    this.#unhurt.delete(host.name);
    host.die();
  }

  /** @returns tells it to take no further lease */
  start(name: string, parent: RunnerParent): () => void {
    const host = this.#engine.boot(name);
    const service = this.#serviceOn(host, 'runner', { runnerName: name, dataDir: `/data/${name}` });
    const channel = new Channel(parent.registered);
    this.#hosts.add(host);
    this.#unhurt.add(name);
    host.onDeath(() => {
      this.#hosts.delete(host);
      const inOrder = service.stopping.aborted;
      this.#engine.after(5, null, `${name} is gone`, () =>
        parent.ended(inOrder ? 0 : null, inOrder ? null : 'SIGKILL'),
      );
    });
    service.begin(() => this.#product.startRunner(service, ENVIRONMENT, channel));
    return () => void this.#engine.after(2, host, 'told to retire', () => channel.emit('message', { retire: true }));
  }
}
