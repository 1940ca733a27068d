import { z } from 'zod';
import { IsolationTier } from './plan.ts';

/** What a runner offers; matched against a job's requirements. */
export const RunnerCapabilities = z.strictObject({
  os: z.enum(['linux', 'darwin']),
  arch: z.enum(['x64', 'arm64']),
  isolation: z.array(IsolationTier).min(1).max(10),
  toolchains: z
    .array(z.strictObject({ name: z.string().min(1).max(50), version: z.string().min(1).max(100) }))
    .max(100),
  labels: z.array(z.string().min(1).max(100)).max(50),
});
export type RunnerCapabilities = z.infer<typeof RunnerCapabilities>;
