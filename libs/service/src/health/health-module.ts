import { Controller, Get, Inject, Module, Res, type DynamicModule } from '@nestjs/common';
import { EXPOSITION_CONTENT_TYPE, type MetricsRegistry } from '../metrics/start-metrics.ts';
import type { Health } from './health.ts';

const HEALTH = Symbol('health');
const METRICS = Symbol('metrics');
const IDENTITY = Symbol('identity');

/** Who answers a probe. */
export interface ServiceIdentity {
  service: string;
  instance: string;
}

/** The part of Fastify's reply that is used here; Fastify itself is the adapter's business. */
interface Reply {
  code(status: number): Reply;
  type(contentType: string): Reply;
  send(body: unknown): unknown;
}

/** The three routes every service answers. Open to whoever reaches the listener: they hold no data of users. */
@Controller()
export class HealthController {
  readonly #health: Health;
  readonly #metrics: MetricsRegistry;
  readonly #identity: ServiceIdentity;

  constructor(
    @Inject(HEALTH) health: Health,
    @Inject(METRICS) metrics: MetricsRegistry,
    @Inject(IDENTITY) identity: ServiceIdentity,
  ) {
    this.#health = health;
    this.#metrics = metrics;
    this.#identity = identity;
  }

  /** The process runs and its event loop turns. */
  @Get('healthz')
  alive(): object {
    return { status: 'alive', ...this.#identity };
  }

  /** 200 when every check passes; 503 when one fails or the process is stopping. */
  @Get('readyz')
  async ready(@Res() reply: Reply): Promise<void> {
    const readiness = await this.#health.readiness();
    reply.code(readiness.status === 'ready' ? 200 : 503).send({ ...readiness, ...this.#identity });
  }

  @Get('metrics')
  async exposition(@Res() reply: Reply): Promise<void> {
    const body = await this.#metrics.exposition();
    reply.type(EXPOSITION_CONTENT_TYPE).send(body);
  }
}

/** `/healthz`, `/readyz` and `/metrics` on the service's own listener; `serve` adds it to every app. */
@Module({})
export class HealthModule {
  static of(health: Health, metrics: MetricsRegistry, identity: ServiceIdentity): DynamicModule {
    return {
      module: HealthModule,
      controllers: [HealthController],
      providers: [
        { provide: HEALTH, useValue: health },
        { provide: METRICS, useValue: metrics },
        { provide: IDENTITY, useValue: identity },
      ],
    };
  }
}
