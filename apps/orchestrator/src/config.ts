import { DEFAULT_RUN_POLICY, PoolName } from '@delta-ci/contracts';
import {
  artifactSettings,
  busSettings,
  commonSettings,
  crashOrder,
  databaseSettings,
  durationMs,
  list,
  secretText,
  text,
  wholeNumber,
} from '@delta-ci/service';
import { z } from 'zod';
import { CRASH_POINTS } from './crash-points.ts';

const policy = DEFAULT_RUN_POLICY;

const allSettings = z.object({
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
  /** How often artifacts and caches are looked for whose time is over. */
  artifactSweepIntervalMs: durationMs({ min: 100 }).default(60_000),
  /** How long what runners sent is kept though it was never recorded; longer than any attempt takes. */
  unrecordedArtifactKeptMs: durationMs({ min: 60_000 }).default(7 * 24 * 60 * 60_000),
  /** Caches are removed so many days after they were saved. */
  cachesKeptDays: wholeNumber({ min: 1, max: 36_500 }).default(30),
  /** Bytes of caches that one repository keeps, as they lie in the store. */
  cacheRepositoryBytes: wholeNumber({ min: 1, max: 2 ** 50, unit: 'bytes' }).default(10 * 1024 ** 3),
  /** A queued attempt that nobody took for this long is put before its pool again. */
  redriveAfterMs: durationMs({ min: 100 }).default(30_000),
  /** Where to die, for tests of what that leaves behind. */
  crashAt: crashOrder(CRASH_POINTS).optional(),
  /** One for the writer, one for each kind of removal under way, and one for what these look up. */
  databaseConnections: wholeNumber({ min: 4, max: 200 }).default(10),
  /** The Ed25519 private key that signs checkpoints, in PEM: the file it is in, or the key itself. */
  checkpointKeyFile: text(4_096).optional(),
  checkpointKey: secretText(64).optional(),
  /** A checkpoint is signed when so much was recorded since the last one, and when so much time has passed. */
  checkpointEvents: wholeNumber({ min: 1, max: 1_000_000 }).default(1_000),
  checkpointIntervalMs: durationMs({ min: 100 }).default(60_000),
});

/** What the orchestrator reads from its environment. Timings are the protocol's unless an operator changes them. */
export const orchestratorSettings = allSettings.refine(
  ({ checkpointKey, checkpointKeyFile }) => (checkpointKey === undefined) !== (checkpointKeyFile === undefined),
  {
    path: ['checkpointKeyFile'],
    message:
      'the file of an Ed25519 private key (openssl genpkey -algorithm ed25519), or else the key in DELTA_CHECKPOINT_KEY',
  },
);
export type OrchestratorConfig = z.output<typeof orchestratorSettings>;
