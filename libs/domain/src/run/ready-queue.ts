import type { PlannedJobState } from '@delta-ci/contracts';
import { present } from '../broken-invariant.ts';

/** Puts a job where it belongs among the ready ones: higher priority first, then its place in the plan. */
export function withReady(ready: readonly number[], job: number, planned: readonly PlannedJobState[]): number[] {
  let low = 0;
  let high = ready.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (goesBefore(job, present(ready[middle], 'ready job'), planned)) high = middle;
    else low = middle + 1;
  }
  const queue = ready.slice();
  queue.splice(low, 0, job);
  return queue;
}

export function withoutReady(ready: readonly number[], job: number): readonly number[] {
  const at = ready[0] === job ? 0 : ready.indexOf(job);
  if (at === 0) return ready.slice(1);
  return at < 0 ? ready : ready.toSpliced(at, 1);
}

function goesBefore(a: number, b: number, planned: readonly PlannedJobState[]): boolean {
  const difference = priorityOf(b, planned) - priorityOf(a, planned);
  return difference === 0 ? a < b : difference < 0;
}

function priorityOf(job: number, planned: readonly PlannedJobState[]): number {
  return present(planned[job], `planned job ${job}`).policy.priority;
}
