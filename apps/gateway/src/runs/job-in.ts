import type { JobView, RunView } from '@delta-ci/contracts';
import { foundOr, refusedWith } from '../http/refused.ts';

/** The job of a run; `not_found` otherwise, with what kept the run from having jobs, where it has none. */
export function jobIn({ runId, jobs, planning, planDigest }: RunView, jobKey: string): JobView {
  const job = jobs.find(({ key }) => key === jobKey);
  const none = `there is no job ${jobKey}`;
  if (job === undefined && planning !== null)
    throw refusedWith('not_found', `${none}, because ${runId} could not be planned: ${planning.message}`);
  if (job === undefined && planDigest === null) throw refusedWith('not_found', `${none}, because ${runId} has no plan`);
  return foundOr(job, `job ${jobKey} in ${runId}`);
}
