import { context, SpanKind, SpanStatusCode, trace, type Attributes, type Span } from '@opentelemetry/api';
import { contextFrom } from './trace-context.ts';

export const TRACER = 'delta-ci';

export interface SpanOptions {
  attributes?: Attributes;
  /** Continue this trace instead of the active one: the `traceparent` of a message, a request or an event. */
  parent?: string | undefined;
  /** `server` answers a request, `client` makes one, `producer` and `consumer` speak over the bus. */
  kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/**
 * Runs `work` inside a span: active for everything it awaits, failed when it throws, always ended. What `work` throws
 * is passed on. Attributes and errors go to telemetry: never put a secret there.
 */
export async function withSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T> | T,
): Promise<T> {
  const parent = contextFrom(options.parent);
  const span = openSpan(name, options);
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    markFailed(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Opens a span that somebody else ends; for work that is not one function, such as an HTTP request. */
export function openSpan(name: string, options: SpanOptions): Span {
  const { attributes = {}, kind = 'internal' } = options;
  return trace.getTracer(TRACER).startSpan(name, { attributes, kind: KINDS[kind] }, contextFrom(options.parent));
}

function markFailed(span: Span, error: unknown): void {
  const cause = error instanceof Error ? error : new Error(String(error));
  span.recordException(cause);
  span.setStatus({ code: SpanStatusCode.ERROR, message: cause.message });
}
