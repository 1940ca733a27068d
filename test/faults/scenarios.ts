import type { Scenario } from './scenario.ts';
import { DELIVERY_SCENARIOS } from './scenarios/deliveries.ts';
import { MESSAGE_SCENARIOS } from './scenarios/messages.ts';
import { ORCHESTRATOR_SCENARIOS } from './scenarios/orchestrator.ts';
import { PARTITION_SCENARIOS } from './scenarios/partitions.ts';
import { RUNNER_SCENARIOS } from './scenarios/runners.ts';
import { SERVER_SCENARIOS } from './scenarios/servers.ts';
import { SURROUNDING_SCENARIOS } from './scenarios/surroundings.ts';

/** Every scenario, in the order in which they are played. */
export const SCENARIOS: readonly Scenario[] = [
  ...DELIVERY_SCENARIOS,
  ...RUNNER_SCENARIOS,
  ...ORCHESTRATOR_SCENARIOS,
  ...SERVER_SCENARIOS,
  ...PARTITION_SCENARIOS,
  ...MESSAGE_SCENARIOS,
  ...SURROUNDING_SCENARIOS,
];
