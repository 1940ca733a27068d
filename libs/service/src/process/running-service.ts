import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamicModule, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { CommonConfig } from '../config/common-settings.ts';
import type { Secret } from '../config/secret.ts';
import { Health, type Check } from '../health/health.ts';
import { closeNest, portOf, serveNest, type ServeOptions } from '../http/serve-nest.ts';
import type { Logger } from '../logging/create-logger.ts';
import type { Redactor } from '../logging/redaction.ts';
import { defineMetrics, type MetricDefinitions, type Metrics } from '../metrics/define-metrics.ts';
import type { MetricsRegistry } from '../metrics/start-metrics.ts';
import type { Tracing } from '../tracing/start-tracing.ts';
import type { Service } from './service.ts';
import { StopOrder, type Close, type Finish } from './stop-order.ts';

/** Telemetry is worth waiting for, but not as much as an orderly end: a little more than one export may take. */
const FLUSH_MS_MAX = 6_000;

export interface Telemetry {
  tracing: Tracing;
  metrics: MetricsRegistry;
}

export interface ServiceParts<Config extends CommonConfig> {
  name: string;
  config: Config;
  logger: Logger;
  redactor: Redactor;
  telemetry: Telemetry;
}

/** `stopped`: stopping was asked for before `start` had come to its end. */
export type StartOutcome = { outcome: 'ready'; port: number | undefined } | { outcome: 'stopped' };

/** One service from preparation to its end: the hands that `start` works with, and the way everything stops. */
export class RunningService<Config extends CommonConfig> implements Service<Config> {
  readonly name: string;
  readonly config: Config;
  readonly logger: Logger;
  /** Settles when stopping has finished; never after a failed start. */
  readonly ended: Promise<string[]>;
  readonly #redactor: Redactor;
  readonly #telemetry: Telemetry;
  readonly #health: Health;
  readonly #order: StopOrder;
  readonly #settleEnded: (unfinished: string[]) => void;
  #stopping: Promise<string[]> | undefined;
  #port: number | undefined;
  #startFailed = false;

  constructor(parts: ServiceParts<Config>) {
    const { promise, resolve } = Promise.withResolvers<string[]>();
    this.name = parts.name;
    this.config = parts.config;
    this.logger = parts.logger;
    this.#redactor = parts.redactor;
    this.#telemetry = parts.telemetry;
    this.#health = new Health(parts.logger, parts.redactor);
    this.#order = new StopOrder(parts.logger, this.#health, {
      graceMs: parts.config.shutdownGraceMs,
      delayMs: parts.config.shutdownDelayMs,
    });
    this.ended = promise;
    this.#settleEnded = resolve;
  }

  get stopping(): AbortSignal {
    return this.#order.stopping;
  }

  open<T>(name: string, open: () => Promise<T> | T, close: Close<T>): Promise<T> {
    return this.#order.open(name, open, close);
  }

  beforeClosing(name: string, finish: Finish): void {
    this.#order.beforeClosing(name, finish);
  }

  checkHealth(name: string, check: Check): void {
    this.#health.check(name, check);
  }

  metrics<const T extends MetricDefinitions>(definitions: T): Metrics<T> {
    return defineMetrics(this.#telemetry.metrics.meter, definitions);
  }

  hide(secret: Secret): void {
    this.#redactor.learn(secret);
  }

  async serve(module: Type | DynamicModule, options: ServeOptions = {}): Promise<NestFastifyApplication> {
    if (this.#port !== undefined) throw new Error(`${this.name} listens already`);
    const surroundings = {
      host: this.config.httpHost,
      port: this.config.httpPort,
      logger: this.logger,
      health: this.#health,
      metrics: this.#telemetry.metrics,
      identity: { service: this.name, instance: this.config.instanceId },
    };
    const { app } = await this.open('http', () => serveNest(module, options, surroundings), closeNest);
    this.#port = portOf(app);
    return app;
  }

  stop(reason: string): void {
    void this.end(reason);
  }

  /** Runs `start`; when it throws, closes what was opened and passes the failure on, unless it was stopped meanwhile. */
  async begin(start: (service: Service<Config>) => Promise<void>): Promise<StartOutcome> {
    try {
      await start(this);
    } catch (error) {
      if (this.#stopping !== undefined) return { outcome: 'stopped' };
      this.#startFailed = true;
      await this.end('start failed');
      throw error;
    }
    return this.#stopping === undefined ? { outcome: 'ready', port: this.#port } : { outcome: 'stopped' };
  }

  /** Stops in order, then flushes telemetry; the names of what did not end cleanly. */
  end(reason: string): Promise<string[]> {
    this.#stopping ??= this.#endOnce(reason);
    return this.#stopping;
  }

  async #endOnce(reason: string): Promise<string[]> {
    const unfinished = await this.#order.stop(reason);
    this.logger.info({ event: 'stopped', reason, unfinished });
    await this.#flushTelemetry();
    // A failed start has an error to tell, which is more than the end of a service has.
    if (!this.#startFailed) this.#settleEnded(unfinished);
    return unfinished;
  }

  async #flushTelemetry(): Promise<void> {
    const { tracing, metrics } = this.#telemetry;
    const flushed = Promise.allSettled([tracing.stop(), metrics.stop()]);
    await Promise.race([flushed, sleep(FLUSH_MS_MAX, undefined, { ref: false })]);
  }
}
