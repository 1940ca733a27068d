import { runService } from '@delta-ci/service';
import { orchestratorSettings } from './config.ts';
import { startOrchestrator } from './start-orchestrator.ts';

await runService({ name: 'orchestrator', settings: orchestratorSettings, start: startOrchestrator });
