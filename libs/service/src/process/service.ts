import type { DynamicModule, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { CommonConfig } from '../config/common-settings.ts';
import type { Secret } from '../config/secret.ts';
import type { Check } from '../health/health.ts';
import type { ServeOptions } from '../http/serve-nest.ts';
import type { Logger } from '../logging/create-logger.ts';
import type { MetricDefinitions, Metrics } from '../metrics/define-metrics.ts';
import type { Close, Finish } from './stop-order.ts';

/** What a process has in its hands while it lives. */
export interface Service<Config extends CommonConfig = CommonConfig> {
  readonly name: string;
  readonly config: Config;
  readonly logger: Logger;
  /** Aborts when no new work may be taken: end polls, streams and consumers on it. */
  readonly stopping: AbortSignal;

  /**
   * Opens something and remembers how to close it. Resources close in reverse order of opening. Throws what `open` throws,
   * and when stopping has begun.
   */
  open<T>(name: string, open: () => Promise<T> | T, close: Close<T>): Promise<T>;

  /** Work to finish or hand back after intake has ended and before anything closes, within `shutdownGraceMs`. */
  beforeClosing(name: string, finish: Finish): void;

  /** Adds a named check to `/readyz`; it throws when the thing is not usable. Each gets 2 s. */
  checkHealth(name: string, check: Check): void;

  /** Makes the instruments of a table of definitions; see `metric-catalogue.ts`. */
  metrics<const T extends MetricDefinitions>(definitions: T): Metrics<T>;

  /** Hides a value learned at run time (a token just received) from logs and traces. */
  hide(secret: Secret): void;

  /**
   * Serves a Nest module on `httpHost:httpPort` with `/healthz`, `/readyz` and `/metrics`. Comes last: who listens is ready.
   * At most once.
   */
  serve(module: Type | DynamicModule, options?: ServeOptions): Promise<NestFastifyApplication>;

  /**
   * Ends this process in order, as SIGTERM would: for processes whose work comes to an end. The exit code is
   * `process.exitCode` when set.
   */
  stop(reason: string): void;
}
