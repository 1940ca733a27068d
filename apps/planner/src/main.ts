import { runService } from '@delta-ci/service';
import { plannerSettings } from './config.ts';
import { startPlanner } from './start-planner.ts';

await runService({
  name: 'planner',
  settings: plannerSettings,
  start: async (service) => startPlanner(service, process.env),
});
