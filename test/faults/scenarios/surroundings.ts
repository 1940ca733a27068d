import type { Scenario } from '../scenario.ts';

/** What stands around the control plane: network, forge and store. */
export const SURROUNDING_SCENARIOS: readonly Scenario[] = [];
