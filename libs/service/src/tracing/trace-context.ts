import { context, trace, type Context } from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';

/** Names of the header that carries a trace over HTTP and over the bus. */
export const TRACEPARENT = 'traceparent';

/** Headers as they arrive: HTTP gives arrays for repeated ones, the bus gives text. */
export type IncomingHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The W3C `traceparent` of the active span (or of the given context): what events, messages and requests carry onward.
 * `undefined` when no span is active.
 */
export function traceparentOf(from: Context = context.active()): string | undefined {
  const span = trace.getSpanContext(from);
  if (span === undefined) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}

/** A context whose parent span is the given `traceparent`; the active context when there is none or it is malformed. */
export function contextFrom(traceparent: string | undefined): Context {
  const remote = traceparent === undefined ? null : parseTraceParent(traceparent);
  if (remote === null) return context.active();
  return trace.setSpanContext(context.active(), { ...remote, isRemote: true });
}

/** Reads the `traceparent` of a request or message; `undefined` when there is none or it is malformed. */
export function traceparentFrom(headers: IncomingHeaders): string | undefined {
  const given = headers[TRACEPARENT];
  const value = typeof given === 'string' ? given : given?.[0];
  return value === undefined || parseTraceParent(value) === null ? undefined : value;
}

/** The given headers and, when a span is active, its `traceparent`: for outgoing requests and messages. */
export function withTraceHeaders(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const traceparent = traceparentOf();
  return traceparent === undefined ? { ...headers } : { ...headers, [TRACEPARENT]: traceparent };
}

/** Runs `work` as a continuation of a trace without opening a span of its own. */
export function continueTrace<T>(traceparent: string | undefined, work: () => T): T {
  return context.with(contextFrom(traceparent), work);
}
