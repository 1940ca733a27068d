import { context, diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Resource } from '@opentelemetry/resources';
import { AlwaysOffSampler, AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { CommonConfig } from '../config/common-settings.ts';
import type { Logger } from '../logging/create-logger.ts';
import type { Redactor } from '../logging/redaction.ts';
import { RedactedSpans, SpanLog } from './printable-spans.ts';

/** Half of the SDK's 10 s: a collector that is away must not hold up a stopping process. */
const EXPORT_TIMEOUT_MS = 5_000;

/** The SDK's default of 5 s is longer than a short run; traces should be there when somebody looks. */
const EXPORT_INTERVAL_MS = 1_000;

export interface Tracing {
  /** Sends what is waiting and stops. Bounded by the exporter's timeout. */
  stop(): Promise<void>;
}

export interface TracingOptions {
  config: Pick<CommonConfig, 'traceExporter' | 'traceEndpoint'>;
  resource: Resource;
  logger: Logger;
  redactor: Redactor;
}

/**
 * Makes tracing work for the whole process, by hand: no module is patched. Without an exporter spans are not recorded,
 * but trace ids still exist, travel onward and stand in the log lines. Every trace is kept: one run is one trace, and the
 * run that failed strangely is the one that sampling would have dropped.
 */
export function startTracing(options: TracingOptions): Tracing {
  reportTelemetryTrouble(options.logger);
  const exporter = exporterFor(options);
  const provider = new TracerProvider({
    resource: options.resource,
    sampler: exporter === undefined ? new AlwaysOffSampler() : new AlwaysOnSampler(),
    spanProcessors: exporter === undefined ? [] : [batching(exporter)],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return { stop: () => stopTracing(provider) };
}

/** The SDK keeps its troubles (a collector that does not answer) to itself unless it is given a logger. */
function reportTelemetryTrouble(logger: Logger): void {
  const line = (level: 'error' | 'warn') => (message: string) => {
    logger[level]({ event: 'telemetry-trouble', component: 'telemetry' }, message);
  };
  const quiet = (): void => {};
  const voice = { error: line('error'), warn: line('warn'), info: quiet, debug: quiet, verbose: quiet };
  diag.setLogger(voice, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}

function exporterFor({ config, logger, redactor }: TracingOptions): SpanExporter | undefined {
  if (config.traceExporter === 'none') return undefined;
  if (config.traceExporter === 'console') return new SpanLog(logger);
  const otlp = new OTLPTraceExporter({ url: config.traceEndpoint, timeoutMillis: EXPORT_TIMEOUT_MS });
  return new RedactedSpans(otlp, redactor);
}

function batching(exporter: SpanExporter): BatchSpanProcessor {
  return new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: EXPORT_INTERVAL_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
  });
}

async function stopTracing(provider: TracerProvider): Promise<void> {
  await provider.shutdown();
  trace.disable();
  context.disable();
  propagation.disable();
  diag.disable();
}
