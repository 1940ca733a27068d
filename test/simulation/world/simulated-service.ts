import type { Engine } from '../engine/engine.ts';
import { actAs } from '../engine/engine.ts';
import type { Host } from '../engine/host.ts';
import { CONFIGS, type ServiceName } from './settings.ts';

/** A line a service logs, as text. */
export type OnLine = (host: Host, line: string) => void;

type Closer = () => Promise<void> | void;

const ignore = (): void => undefined;

/** An instrument that measures nothing. */
const instrument = { add: ignore, record: ignore, observe: ignore, set: ignore };

/**
 * One process around a service's real start function: it has a configuration, logs, what it opened and how it ends. Takes
 * the place of Nest, HTTP and telemetry.
 */
export class SimulatedService {
  readonly name: string;
  readonly config: unknown;
  readonly logger: Readonly<Record<string, unknown>>;
  readonly #engine: Engine;
  readonly #host: Host;
  readonly #intake = new AbortController();
  readonly #finishers: Closer[] = [];
  readonly #opened: Closer[] = [];
  #served: unknown = null;
  #ends = false;

  constructor(engine: Engine, host: Host, service: ServiceName, config: object, onLine: OnLine) {
    this.name = service;
    this.config = { ...CONFIGS[service], instanceId: host.name, ...config };
    this.#engine = engine;
    this.#host = host;
    this.logger = loggerOf(host, onLine);
  }

  get stopping(): AbortSignal {
    return this.#intake.signal;
  }

  /** The module it serves: null while it starts. */
  get served(): unknown {
    return this.#served;
  }

  async open<T>(_name: string, open: () => Promise<T> | T, close: (resource: T) => Promise<void> | void): Promise<T> {
    this.#intake.signal.throwIfAborted();
    const resource = await open();
    this.#opened.push(() => close(resource));
    return resource;
  }

  beforeClosing(_name: string, finish: Closer): void {
    this.#finishers.push(finish);
  }

  checkHealth(): void {
    // Nobody asks: what is not fit for work shows in what it does.
  }

  metrics(definitions: object): object {
    return Object.fromEntries(Object.keys(definitions).map((name) => [name, instrument]));
  }

  hide(): void {
    // The invariant about secrets looks at everything that is logged, and nothing is redacted here.
  }

  serve(module: unknown): Promise<unknown> {
    this.#served = module;
    return Promise.resolve({});
  }

  /** Ends in order, as SIGTERM does, and dies at last. */
  stop(_reason: string): void {
    if (this.#ends) return;
    this.#ends = true;
    void this.#end();
  }

  /** Starts it; a start that fails ends the process. */
  begin(start: () => Promise<unknown>): void {
    actAs(this.#host, () => {
      void start().catch((error: unknown) => {
        this.#engine.trace.note(`${this.#host.name} could not start: ${String(error)}`);
        // A setting the simulated world does not give is no fault of the weather.
        if (error instanceof TypeError) this.#engine.fail(error);
        this.#host.die();
      });
    });
  }

  async #end(): Promise<void> {
    this.#intake.abort(new Error('stopping'));
    this.#engine.after(20_000, null, 'grace is over', () => this.#host.die());
    await Promise.allSettled(this.#finishers.map(async (finish) => finish()));
    for (const close of this.#opened.toReversed()) await Promise.allSettled([Promise.resolve().then(close)]);
    this.#engine.after(0, null, `${this.#host.name} exits`, () => this.#host.die());
  }
}

function loggerOf(host: Host, onLine: OnLine): Readonly<Record<string, unknown>> {
  const write = (...given: unknown[]) => onLine(host, given.map(lineOf).join(' '));
  const logger = { info: write, warn: write, error: write, debug: write, trace: write, fatal: write };
  return { ...logger, child: () => logger };
}

function lineOf(given: unknown): string {
  if (typeof given === 'string') return given;
  return (
    JSON.stringify(given, (_key, value: unknown) =>
      value instanceof Error ? `${value.name}: ${value.message}` : value,
    ) ?? ''
  );
}
