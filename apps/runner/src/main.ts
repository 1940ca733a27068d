import { runService } from '@delta-ci/service';
import { runnerSettings } from './config.ts';
import { startRunner } from './start-runner.ts';

await runService({
  name: 'runner',
  settings: runnerSettings,
  start: async (service) => startRunner(service, process.env, process),
});
