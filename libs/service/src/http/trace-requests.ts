import { context, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Logger } from '../logging/create-logger.ts';
import { httpMetrics } from '../metrics/metric-catalogue.ts';
import type { Metrics } from '../metrics/define-metrics.ts';
import { traceparentFrom } from '../tracing/trace-context.ts';
import { openSpan } from '../tracing/with-span.ts';

/** Asked every few seconds by machines: a span or a log line for each would drown everything else. */
const PROBES = new Set(['/healthz', '/readyz', '/metrics']);

const MS_PER_S = 1_000;

interface Exchange {
  method: string;
  route: string;
  status: number;
  durationMs: number;
}

/**
 * One span, one measurement and one log line per request. The span continues the caller's `traceparent` and is active in
 * the handler. Only the route's template is recorded: paths hold lease ids, and each path would be a time series.
 */
export function traceRequests(adapter: FastifyAdapter, logger: Logger, metrics: Metrics<typeof httpMetrics>): void {
  const spans = new WeakMap<object, Span>();
  const fastify = adapter.getInstance();
  fastify.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unmatched';
    if (PROBES.has(route)) return done();
    const startedMs = performance.now();
    const attributes = { 'http.request.method': request.method, 'http.route': route };
    const span = openSpan(`${request.method} ${route}`, {
      attributes,
      kind: 'server',
      parent: traceparentFrom(request.headers),
    });
    spans.set(request, span);
    // "close" comes after an answer and after an abort; Fastify's own hook misses the second.
    reply.raw.once('close', () => {
      const durationMs = performance.now() - startedMs;
      finish(span, { method: request.method, route, status: reply.statusCode, durationMs }, logger, metrics);
    });
    done();
  });
  // Reading the body loses the asynchronous context, so the span becomes active only now.
  fastify.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span === undefined) return done();
    context.with(trace.setSpan(context.active(), span), done);
  });
}

function finish(span: Span, exchange: Exchange, logger: Logger, metrics: Metrics<typeof httpMetrics>): void {
  const { method, route, status, durationMs } = exchange;
  metrics.serverRequestDuration.record(durationMs / MS_PER_S, {
    'http.request.method': method,
    'http.route': route,
    'http.response.status_code': String(status),
  });
  span.setAttribute('http.response.status_code', status);
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  context.with(trace.setSpan(context.active(), span), () => {
    const line = { event: 'request-answered', method, route, status, duration_ms: Math.round(durationMs) };
    logger[status >= 500 ? 'error' : 'debug'](line);
  });
  span.end();
}
