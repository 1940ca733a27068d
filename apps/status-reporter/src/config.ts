import { busSettings, commonSettings, databaseSettings, durationMs, text, url } from '@delta-ci/service';
import { z } from 'zod';

/** What the reporter reads from its environment. */
export const reporterSettings = z.object({
  ...commonSettings,
  ...databaseSettings,
  ...busSettings,
  forgesFile: text(4_096),
  /** Where links in checks lead. */
  gatewayUrl: url(['http', 'https']),
  /** How often runs are looked at without having been asked to: what a crash or a lost message left behind. */
  sweepIntervalMs: durationMs({ min: 50 }).default(30_000),
  /** Between two looks at the same run; what happens meanwhile is published at once afterwards. */
  coalesceMs: durationMs().default(1_000),
  forgeTimeoutMs: durationMs({ min: 100 }).default(15_000),
  /** First and longest pause before a forge that failed is asked again. */
  retryInitialMs: durationMs({ min: 10 }).default(1_000),
  retryCapMs: durationMs({ min: 10 }).default(300_000),
});
export type ReporterConfig = z.output<typeof reporterSettings>;
