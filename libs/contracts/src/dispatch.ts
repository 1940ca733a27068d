import { z } from 'zod';
import { AttemptNumber, EpochMs, JobKey, PoolName, RunId, Traceparent } from './ids.ts';
import { JobRequirements } from './plan.ts';

/** One queued attempt on `delta.dispatch.<pool>`: a hint that work waits; the log decides whether it still does. */
export const DispatchMessage = z.strictObject({
  runId: RunId,
  jobKey: JobKey,
  attempt: AttemptNumber,
  pool: PoolName,
  priority: z.number().int(),
  requirements: JobRequirements,
  queuedAtMs: EpochMs,
  traceparent: Traceparent.nullable(),
});
export type DispatchMessage = z.infer<typeof DispatchMessage>;
