import { FileArtifactStore } from '@delta-ci/artifact-store';
import { ReportClient, connectBus, consumeEvents } from '@delta-ci/bus';
import { withSpan, type Service } from '@delta-ci/service';
import { AnalyzerModule } from './analyzer.module.ts';
import type { AnalyzerConfig } from './config.ts';
import { explainAttempt } from './on-attempt-finished.ts';

/** One analysis is a second of one core at most and some megabytes: two at once leave the process answering. */
const CONCURRENCY = 2;

/** Follows finished attempts and reports why the failed ones failed. */
export async function startAnalyzer(service: Service<AnalyzerConfig>): Promise<void> {
  const { config, logger } = service;
  const store = new FileArtifactStore(config.artifactDir);
  const bus = await service.open(
    'bus',
    async () => connectBus({ servers: [config.natsUrl.reveal()], name: 'failure-analyzer', log: logger }),
    async (opened) => opened.close(),
  );
  service.checkHealth('bus', () => {
    if (!bus.isConnected()) throw new Error('not connected');
  });
  service.checkHealth('artifact-store', async () => store.check());
  const reports = new ReportClient(bus);
  await service.open(
    'events',
    () =>
      consumeEvents(
        bus,
        'failure-analyzer',
        { 'attempt.finished': async (event, { signal }) => explainAttempt({ store, reports, logger }, event, signal) },
        {
          log: logger,
          concurrency: CONCURRENCY,
          around: async ({ name, traceparent }, run) =>
            withSpan(`handle ${name}`, { parent: traceparent ?? undefined, kind: 'consumer' }, run),
        },
      ),
    async (consumption) => consumption.close(),
  );
  await service.serve(AnalyzerModule);
}
