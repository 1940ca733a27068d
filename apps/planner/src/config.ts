import { DEFAULT_SHADOW_RULES, PoolName } from '@delta-ci/contracts';
import {
  artifactSettings,
  busSettings,
  commonSettings,
  databaseSettings,
  decimal,
  durationMs,
  flag,
  list,
  oneOf,
  text,
  wholeNumber,
} from '@delta-ci/service';
import { DEFAULT_PLANNING_RULES as defaults } from '@delta-ci/planning';
import { z } from 'zod';

/** What the planner reads from its environment. */
export const plannerSettings = z.object({
  ...commonSettings,
  ...databaseSettings,
  ...busSettings,
  ...artifactSettings,
  /** Where mirrors are kept; may be lost, they are fetched again. */
  dataDir: text(4_096),
  forgesFile: text(4_096),
  /** The weakest isolation for jobs of trusted changes. Others get `sandbox` whatever stands here. */
  isolation: oneOf(['sandbox', 'process', 'gvisor', 'container', 'microvm']).default(defaults.trustedIsolation),
  /** The pool that jobs ask for. */
  pool: text(63)
    .default(defaults.pool)
    .refine((name) => PoolName.safeParse(name).success, 'lower-case letters, digits, "-" or "_"'),
  /** What jobs run on: runners are usually of the planner's own kind. */
  jobOs: oneOf(['linux', 'darwin']).default(process.platform === 'darwin' ? 'darwin' : 'linux'),
  /** Hosts that jobs of strangers may reach. */
  untrustedEgress: list().default([...defaults.untrustedEgress]),
  /** Whether discovered toolchain versions become requirements: only where runners announce what they have. */
  requireToolchains: flag().default(defaults.requireToolchains),
  /** Labels that runners of the pool have. With it a job that asks for another one is refused at once, without it waits. */
  runnerLabels: list().optional(),
  /** Images that runners of the pool run jobs in. With it a job that asks for another one is refused, without it warned of. */
  runnerImages: list().optional(),
  /** The most of a runner that any job may be given: processors, and bytes of memory and disk. */
  jobCpuMax: wholeNumber({ min: 1, max: 256 }).optional(),
  jobMemoryMax: wholeNumber({ min: 1, max: Number.MAX_SAFE_INTEGER }).optional(),
  jobDiskMax: wholeNumber({ min: 1, max: Number.MAX_SAFE_INTEGER }).optional(),
  /** Share of the trusted changes that also run what is left out, as shadows; repositories may say otherwise. 0: none. */
  shadowRate: decimal({ min: 0, max: 1 }).default(DEFAULT_SHADOW_RULES.rate),
  /** An optimisation that may let failures escape in a larger share of changes switches itself off. */
  shadowEscapeRateMax: decimal({ min: 0.001, max: 1 }).default(DEFAULT_SHADOW_RULES.escapeRateMax),
  shadowSamplesMin: wholeNumber({ min: 1, max: 2_000 }).default(DEFAULT_SHADOW_RULES.samplesMin),
  /** Below the orchestrator's planning timeout (120 s), so that a run that takes too long still learns why. */
  planningTimeLimitMs: durationMs({ min: 100 }).default(100_000),
  /** Planning waits for remotes and disks more than it computes; more than this only moves the queue into memory. */
  concurrency: wholeNumber({ min: 1, max: 64 }).default(4),
});
export type PlannerConfig = z.output<typeof plannerSettings>;
