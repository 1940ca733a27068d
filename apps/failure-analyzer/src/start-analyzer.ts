import { openArtifactStore } from '@delta-ci/artifact-store';
import { JetStreamStrategy, ReportClient, connectBus } from '@delta-ci/bus';
import { withSpan, type Service } from '@delta-ci/service';
import { AnalyzerModule } from './analyzer.module.ts';
import type { AnalyzerConfig } from './config.ts';

/** One analysis is a second of one core at most and some megabytes: two at once leave the process answering. */
const CONCURRENCY = 2;

/** Follows finished attempts and reports why the failed ones failed. */
export async function startAnalyzer(service: Service<AnalyzerConfig>): Promise<void> {
  const { config, logger } = service;
  const store = await openArtifactStore(config);
  const bus = await service.open(
    'bus',
    async () => connectBus({ servers: [config.natsUrl.reveal()], name: 'failure-analyzer', log: logger }),
    async (opened) => opened.close(),
  );
  service.checkHealth('bus', () => {
    if (!bus.isConnected()) throw new Error('not connected');
  });
  service.checkHealth('artifact-store', async () => store.check());
  const strategy = new JetStreamStrategy(bus, {
    service: 'failure-analyzer',
    log: logger,
    concurrency: CONCURRENCY,
    around: async ({ name, traceparent }, run) =>
      withSpan(`handle ${name}`, { parent: traceparent ?? undefined, kind: 'consumer' }, run),
  });
  await service.serve(AnalyzerModule.with({ store, reports: new ReportClient(bus), logger }), {
    prepare: async (app) => {
      app.connectMicroservice({ strategy });
      await app.startAllMicroservices();
    },
  });
}
