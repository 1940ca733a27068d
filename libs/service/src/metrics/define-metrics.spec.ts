import { emptyResource } from '@opentelemetry/resources';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defineMetrics, type MetricDefinitions } from './define-metrics.ts';
import {
  artifactMetrics,
  busMetrics,
  capacityMetrics,
  forgeMetrics,
  httpMetrics,
  orchestrationMetrics,
} from './metric-catalogue.ts';
import { startMetrics, type MetricsRegistry } from './start-metrics.ts';

let registry: MetricsRegistry;

beforeEach(() => {
  registry = startMetrics(emptyResource());
});

afterEach(() => registry.stop());

const catalogue: MetricDefinitions[] = [
  artifactMetrics,
  busMetrics,
  capacityMetrics,
  forgeMetrics,
  httpMetrics,
  orchestrationMetrics,
];

describe('defined metrics', () => {
  it('appear in the exposition by kind, with their labels', async () => {
    const metrics = defineMetrics(registry.meter, { ...orchestrationMetrics, ...capacityMetrics });
    metrics.retries.add(2, { class: 'infrastructure' });
    metrics.retries.add(1, { class: 'infrastructure' });
    metrics.runDuration.record(7, { 'cicd.pipeline.result': 'success' });
    metrics.queueDepth.observe((report) => {
      report(4, { pool: 'default' });
      report(0, { pool: 'arm' });
    });
    metrics.appendBatchSize.record(12);

    const text = await registry.exposition();
    expect(text).toContain('# TYPE delta_retries_total counter\ndelta_retries_total{class="infrastructure"} 3\n');
    expect(text).toContain('cicd_pipeline_run_duration_bucket{cicd_pipeline_result="success",le="5"} 0\n');
    expect(text).toContain('cicd_pipeline_run_duration_bucket{cicd_pipeline_result="success",le="10"} 1\n');
    expect(text).toContain('delta_queue_depth{pool="default"} 4\ndelta_queue_depth{pool="arm"} 0\n');
    expect(text).toContain('delta_log_append_batch_events_sum 12\n');
  });

  it('count work under way up and down', async () => {
    const active = { kind: 'level', name: 'delta.polls_open', unit: '{poll}', help: 'Open polls', labels: [] } as const;
    const metrics = defineMetrics(registry.meter, { active });
    metrics.active.change(3);
    metrics.active.change(-1);
    expect(await registry.exposition()).toContain('# TYPE delta_polls_open gauge\ndelta_polls_open 2\n');
  });

  it('have names of their own, labels that cannot grow without bound, and ascending buckets', () => {
    const all = catalogue.flatMap((definitions) => Object.values(definitions));
    const names = all.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const unbounded = /run_?id|job$|attempt|lease|runner_?id|repository|sha|path|url|message/i;
    expect(all.flatMap(({ labels }) => labels).filter((label) => unbounded.test(label))).toEqual([]);
    for (const definition of all) {
      if (definition.kind !== 'histogram') continue;
      expect([...definition.buckets].sort((a, b) => a - b)).toEqual(definition.buckets);
    }
  });
});
