import type { Scenario } from './scenario.ts';
import { ORCHESTRATOR_SCENARIOS } from './scenarios/orchestrator.ts';
import { SERVER_SCENARIOS } from './scenarios/servers.ts';

/** Every scenario, in the order in which they are played. */
export const SCENARIOS: readonly Scenario[] = [...ORCHESTRATOR_SCENARIOS, ...SERVER_SCENARIOS];
