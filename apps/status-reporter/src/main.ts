import { runService } from '@delta-ci/service';
import { reporterSettings } from './config.ts';
import { startReporter } from './start-reporter.ts';

await runService({
  name: 'status-reporter',
  settings: reporterSettings,
  start: async (service) => startReporter(service, process.env),
});
