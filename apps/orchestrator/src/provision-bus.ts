import { topology, type Bus } from '@delta-ci/bus';
import type { Service } from '@delta-ci/service';
import type { OrchestratorConfig } from './config.ts';

/** Makes the streams and consumers that are missing. May be repeated: whoever finds one gone has it made again. */
export async function provisionBus({ config, logger }: Service<OrchestratorConfig>, bus: Bus): Promise<void> {
  const { pools, dispatchVisibilityMs: dispatchAckWaitMs } = config;
  const provisioned = await bus.provision(topology({ pools, dispatchAckWaitMs }));
  logger.info({ event: 'bus-provisioned', provisioned });
}
