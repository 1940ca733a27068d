import { PoolName } from '@delta-ci/contracts';
import {
  busSettings,
  commonSettings,
  databaseSettings,
  decimal,
  durationMs,
  list,
  oneOf,
  secretText,
  secretUrl,
  setting,
  text,
  url,
  wholeNumber,
} from '@delta-ci/service';
import { z } from 'zod';

/** What the controller reads from its environment: one pool, its bounds, and how its runners are started. */
export const controllerSettings = z.object({
  ...commonSettings,
  ...databaseSettings,
  ...busSettings,
  dataDir: text(4_096),
  gatewayUrl: url(['http', 'https']),
  registrationToken: secretText(16),
  /** The runner's program. */
  runnerEntry: text(4_096),
  pool: setting('a pool name of lower-case letters, digits, "-" or "_"', poolName).default('default'),
  runnersMin: wholeNumber({ min: 0, max: 1_000 }).default(1),
  runnersMax: wholeNumber({ min: 1, max: 1_000 }).default(4),
  /** Runners kept ready beyond the demand: they hide a runner's start from the next job. */
  runnersWarm: wholeNumber({ min: 0, max: 1_000 }).default(1),
  runnerMinutePrice: decimal({ min: 0, max: 1_000 }).default(0),
  costCap: decimal({ min: 0.01, max: 1_000_000_000 }).default(1_000_000),
  scaleDownWindowMs: durationMs({ min: 100 }).default(120_000),
  decisionIntervalMs: durationMs({ min: 50 }).default(2_000),
  isolation: oneOf(['sandbox', 'gvisor', 'container', 'process']).default('sandbox'),
  bwrap: text(4_096).optional(),
  runsc: text(4_096).optional(),
  containerEngine: text(4_096).optional(),
  containerImage: text(500).optional(),
  imagesFile: text(4_096).optional(),
  egress: oneOf(['none', 'proxy', 'host']).default('none'),
  egressAllow: list().optional(),
  egressRanges: list().optional(),
  egressUpstream: secretUrl(['http']).optional(),
  toolchainDirs: list().default([]),
  labels: list().optional(),
  cloneProtocols: list().default(['https']),
  sourceHosts: list().optional(),
  lfsCacheBytes: wholeNumber({ min: 0, max: 2 ** 45, unit: 'bytes' }).optional(),
  packCacheBytes: wholeNumber({ min: 0, max: 2 ** 45, unit: 'bytes' }).optional(),
});
export type ControllerConfig = z.output<typeof controllerSettings>;

function poolName(given: string): string | undefined {
  const parsed = PoolName.safeParse(given);
  return parsed.success ? parsed.data : undefined;
}
