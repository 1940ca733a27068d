import type { ControlPlane } from './control-plane.ts';
import { drain, type Drained, type Worker } from './workers.ts';

/** Runs that the jobs of one measurement belong to. */
export const RUNS = 10;

/** Queues jobs while workers take them, from the first request for a run to the last recorded completion. */
export async function lifecycles(
  plane: ControlPlane,
  workers: readonly Worker[],
  jobs: number,
  over: AbortSignal,
): Promise<Drained> {
  const [drained] = await Promise.all([drain(workers, jobs, over), plane.queueJobs(jobs, RUNS)]);
  return drained;
}
