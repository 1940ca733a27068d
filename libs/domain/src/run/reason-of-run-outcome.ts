import type { JobKey } from '@delta-ci/contracts';
import type { Work } from './aggregate.ts';
import { jobAt } from './job-table.ts';
import { gatesTheRun } from './plan-shape.ts';

/** Names that fit into a sentence people still read. */
const NAMED_JOBS_MAX = 5;

/** One sentence about a run whose jobs all finished: which required jobs did not succeed, or that all did. */
export function reasonOfRunOutcome(work: Work): string {
  if (work.planned.length === 0) return 'the plan has no jobs: nothing the change reaches has to run';
  const gating: JobKey[] = [];
  const others: JobKey[] = [];
  work.planned.forEach(({ key, policy }, place) => {
    const job = jobAt(work.jobs, place);
    if (job.state !== 'finished' || job.outcome === 'succeeded') return;
    (gatesTheRun(policy) ? gating : others).push(key);
  });
  if (gating.length > 0) return `${counted(gating.length, 'required job')} did not succeed: ${named(gating)}`;
  if (others.length === 0)
    return work.planned.length === 1 ? 'its job succeeded' : `all ${work.planned.length} jobs succeeded`;
  return `all required jobs succeeded; ${counted(others.length, 'other job')} did not: ${named(others)}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function named(keys: readonly JobKey[]): string {
  const rest = keys.length - NAMED_JOBS_MAX;
  return keys.slice(0, NAMED_JOBS_MAX).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
