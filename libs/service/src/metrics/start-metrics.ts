import { metrics, type Meter } from '@opentelemetry/api';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { watchProcess } from './process-metrics.ts';

/** Content type of the Prometheus text format, as scrapers ask for it. */
export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface MetricsRegistry {
  meter: Meter;
  /** Everything measured so far in Prometheus' text format. */
  exposition(): Promise<string>;
  stop(): Promise<void>;
}

/** Reads when somebody looks, so there is nothing to flush or to stop. */
class ScrapeReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** Starts measuring, the process itself included. `/metrics` of the service's own listener shows the result. */
export function startMetrics(resource: Resource): MetricsRegistry {
  const reader = new ScrapeReader();
  const provider = new MeterProvider({ resource, readers: [reader] });
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  metrics.setGlobalMeterProvider(provider);
  const meter = provider.getMeter('delta-ci');
  const unwatch = watchProcess(meter);
  return {
    meter,
    exposition: async () => serializer.serialize((await reader.collect()).resourceMetrics),
    stop: async () => {
      unwatch();
      await provider.shutdown();
      metrics.disable();
    },
  };
}
