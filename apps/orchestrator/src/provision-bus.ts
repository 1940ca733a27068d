import { topology, type Bus, type Doubts } from '@delta-ci/bus';
import type { Service } from '@delta-ci/service';
import type { OrchestratorConfig } from './config.ts';

/** Makes what is missing, and consumers anew that passed what is in doubt. May be repeated by whoever finds one gone. */
export async function provisionBus(
  { config, logger }: Service<OrchestratorConfig>,
  bus: Bus,
  doubts?: Doubts,
): Promise<void> {
  const { pools, dispatchVisibilityMs: dispatchAckWaitMs } = config;
  const provisioned = await bus.provision(topology({ pools, dispatchAckWaitMs }), doubts);
  logger.info({ event: 'bus-provisioned', provisioned });
}
