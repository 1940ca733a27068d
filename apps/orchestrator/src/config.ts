import { DEFAULT_RUN_POLICY, PoolName } from '@delta-ci/contracts';
import {
  artifactSettings,
  busSettings,
  commonSettings,
  databaseSettings,
  durationMs,
  list,
  wholeNumber,
} from '@delta-ci/service';
import { z } from 'zod';

const policy = DEFAULT_RUN_POLICY;

/** What the orchestrator reads from its environment. Timings are the protocol's unless an operator changes them. */
export const orchestratorSettings = z.object({
  ...commonSettings,
  ...databaseSettings,
  ...busSettings,
  ...artifactSettings,
  pools: list()
    .default(['default'])
    .refine(
      (names) => names.every((name) => PoolName.safeParse(name).success),
      'names of lower-case letters, digits, "-" or "_"',
    ),
  runTimeoutMs: durationMs({ min: 1_000 }).default(policy.runTimeoutMs),
  planningTimeoutMs: durationMs({ min: 100 }).default(policy.planningTimeoutMs),
  queueTimeoutMs: durationMs({ min: 1_000 }).default(policy.queueTimeoutMs),
  leaseTtlMs: durationMs({ min: 100 }).default(policy.leaseTtlMs),
  heartbeatMs: durationMs({ min: 10 }).default(policy.heartbeatMs),
  leaseAcceptanceMs: durationMs({ min: 100 }).default(policy.leaseAcceptanceMs),
  cancelDeadlineMs: durationMs({ min: 100 }).default(policy.cancelDeadlineMs),
  /** How long a dispatch message stays with whoever took it. */
  dispatchVisibilityMs: durationMs({ min: 100 }).default(150_000),
  /** How late a heartbeat may be without anybody being at fault. */
  heartbeatJitterMs: durationMs({ min: 1 }).default(20_000),
  /** How often expired leases, passed deadlines and forgotten dispatches are looked for. */
  sweepIntervalMs: durationMs({ min: 10 }).default(5_000),
  /** A queued attempt that nobody took for this long is put before its pool again. */
  redriveAfterMs: durationMs({ min: 100 }).default(30_000),
  databaseConnections: wholeNumber({ min: 2, max: 200 }).default(10),
});
export type OrchestratorConfig = z.output<typeof orchestratorSettings>;
