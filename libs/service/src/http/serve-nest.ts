import 'reflect-metadata';
import { REFUSALS, refuse, type ErrorBody } from '@delta-ci/contracts';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthModule, type ServiceIdentity } from '../health/health-module.ts';
import type { Health } from '../health/health.ts';
import type { Logger } from '../logging/create-logger.ts';
import { NestLogger } from '../logging/nest-logger.ts';
import { defineMetrics } from '../metrics/define-metrics.ts';
import { httpMetrics } from '../metrics/metric-catalogue.ts';
import type { MetricsRegistry } from '../metrics/start-metrics.ts';
import { followConnections, type QuietConnections } from './quiet-connections.ts';
import { traceRequests } from './trace-requests.ts';

/**
 * Time to receive a whole request, in milliseconds: 25 MB (the largest webhook) at about 420 kB/s. Fastify's own default is
 * no limit at all. Answers may take longer: a long poll is not cut.
 */
const REQUEST_TIMEOUT_MS = 60_000;

/** Longest parameter in a path: a file of a repository, percent-encoded. Fastify's own default is 100 characters. */
const PATH_PARAMETER_LENGTH_MAX = 8_192;

export interface ServeOptions {
  /** Keep the bytes of each body as `request.rawBody`: signatures are checked on those. */
  rawBody?: boolean;
  /** Largest request body in bytes; 1 MiB unless told otherwise. */
  bodyBytesMax?: number;
  /** Headers of every answer, also of those that no route gives. */
  answerHeaders?: Readonly<Record<string, string>>;
  /** Last touches before the listener opens: pipes, filters, content types, other transports. */
  prepare?: (app: NestFastifyApplication) => Promise<void> | void;
}

export interface HttpSurroundings {
  host: string;
  port: number;
  logger: Logger;
  health: Health;
  metrics: MetricsRegistry;
  identity: ServiceIdentity;
}

/** An application that listens, and what it takes to close it. */
export interface ServedNest {
  readonly app: NestFastifyApplication;
  readonly connections: QuietConnections;
}

@Module({})
class ServiceRoot {}

/** Builds the Nest application around `module`, adds the health routes, and listens. */
export async function serveNest(
  module: Type | DynamicModule,
  options: ServeOptions,
  surroundings: HttpSurroundings,
): Promise<ServedNest> {
  const { logger, health, metrics, identity, host, port } = surroundings;
  const { answerHeaders = {} } = options;
  const adapter = new FastifyAdapter({
    bodyLimit: options.bodyBytesMax ?? 1_048_576,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: PATH_PARAMETER_LENGTH_MAX },
    frameworkErrors: (_error: unknown, _request: unknown, { raw }: RawReply) => refusePath(raw, answerHeaders),
  });
  adapter.getInstance().addHook('onRequest', (_request, reply, done) => {
    reply.headers(answerHeaders);
    done();
  });
  traceRequests(adapter, logger, defineMetrics(metrics.meter, httpMetrics));
  const root = { module: ServiceRoot, imports: [HealthModule.of(health, metrics, identity), module] };
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
    rawBody: options.rawBody ?? false,
  });
  const connections = followConnections(app.getHttpServer());
  await options.prepare?.(app);
  await app.listen(port, host);
  return { app, connections };
}

/** The part of Fastify's reply that is used where no route was found. */
interface RawReply {
  readonly raw: {
    writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
    end(text: string): unknown;
  };
}

/** For a path that cannot be decoded or is too long: the router gives up before any filter could answer. */
function refusePath(raw: RawReply['raw'], headers: Readonly<Record<string, string>>): void {
  const body: ErrorBody = { error: refuse('invalid_request', 'the path cannot be read') };
  raw.writeHead(REFUSALS.invalid_request.status, { ...headers, 'content-type': 'application/json; charset=utf-8' });
  raw.end(JSON.stringify(body));
}

/** The port an application listens on. */
export function portOf(app: NestFastifyApplication): number {
  const address = app.getHttpServer().address();
  if (address === null || typeof address === 'string') throw new Error('the HTTP listener has no TCP port');
  return address.port;
}

/** How long a stopping listener keeps a connection whose last request has been answered. */
const QUIET_SWEEP_MS = 20;

/** Closes the listener: waits for requests under way, and cuts what is left at the deadline. */
export async function closeNest({ app, connections }: ServedNest, deadline: AbortSignal): Promise<void> {
  const server = app.getHttpServer();
  const cut = (): void => server.closeAllConnections();
  deadline.addEventListener('abort', cut, { once: true });
  // What is answered from now on would be kept alive for the client's next request.
  const sweep = setInterval(() => connections.close(), QUIET_SWEEP_MS);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
    deadline.removeEventListener('abort', cut);
  }
}
