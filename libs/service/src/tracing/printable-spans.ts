import { hrTimeToMilliseconds, hrTimeDuration, ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '../logging/create-logger.ts';
import type { Redactor } from '../logging/redaction.ts';

/** Writes finished spans as log lines (`"event":"span"`): the console exporter, in the same stream and with the same redaction. */
export class SpanLog implements SpanExporter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    for (const span of spans) this.#logger.info(lineOf(span), span.name);
    done({ code: ExportResultCode.SUCCESS });
  }

  async shutdown(): Promise<void> {
    // Lines are written as they come; there is nothing to flush.
  }
}

/** Hides secrets in spans on their way to an exporter that sends them elsewhere. */
export class RedactedSpans implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #redactor: Redactor;

  constructor(exporter: SpanExporter, redactor: Redactor) {
    this.#exporter = exporter;
    this.#redactor = redactor;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(
      spans.map((span) => redacted(span, this.#redactor)),
      done,
    );
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}

function lineOf(span: ReadableSpan): Record<string, unknown> {
  const { traceId, spanId } = span.spanContext();
  return {
    event: 'span',
    trace_id: traceId,
    span_id: spanId,
    parent_span_id: span.parentSpanContext?.spanId,
    span: span.name,
    duration_ms: hrTimeToMilliseconds(hrTimeDuration(span.startTime, span.endTime)),
    attributes: span.attributes,
    failed: span.status.message,
  };
}

/** Spans are objects with methods on their prototype: the copy inherits everything but what may hold text of strangers. */
function redacted(span: ReadableSpan, redactor: Redactor): ReadableSpan {
  return Object.create(span, {
    attributes: { value: redactor.fields(span.attributes), enumerable: true },
    status: { value: { ...span.status, ...messageOf(span, redactor) }, enumerable: true },
    events: {
      value: span.events.map((event) => ({
        ...event,
        attributes: redactor.fields(event.attributes ?? {}),
      })),
      enumerable: true,
    },
  }) as ReadableSpan;
}

function messageOf(span: ReadableSpan, redactor: Redactor): { message?: string } {
  return span.status.message === undefined ? {} : { message: redactor.text(span.status.message) };
}
