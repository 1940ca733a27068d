import type { PlannedJob } from '@delta-ci/contracts';
import { EXIT, type ExitCode } from '../problem.ts';
import type { LocalOutcome } from './run-jobs.ts';

export interface JudgedRun {
  readonly outcome: 'succeeded' | 'failed' | 'not judged' | 'canceled';
  readonly exitCode: ExitCode;
}

/** What came of one job, as far as it decides. */
export type Decisive = Pick<LocalOutcome, 'key' | 'outcome' | 'notJudged'>;

/**
 * What came of a local run. What a job that may fail did does not count; what could not be judged counts unless something failed for
 * certain. A run of which nothing at all could be judged has shown nothing, whoever may fail.
 */
export function judgeRun(
  jobs: readonly Pick<PlannedJob, 'key' | 'policy'>[],
  outcomes: readonly Decisive[],
  interrupted: boolean,
): JudgedRun {
  if (interrupted) return { outcome: 'canceled', exitCode: EXIT.canceled };
  const counts = outcomes.filter(({ key }) => jobs.find((job) => job.key === key)?.policy.allowFailure !== true);
  const failed = counts.some(
    ({ outcome, notJudged }) => notJudged === null && (outcome === 'failed' || outcome === 'timed_out'),
  );
  if (failed) return { outcome: 'failed', exitCode: EXIT.failed };
  const isUnjudged = ({ notJudged }: Decisive): boolean => notJudged !== null;
  const sawNothing = outcomes.length > 0 && outcomes.every(isUnjudged);
  if (sawNothing || counts.some(isUnjudged)) return { outcome: 'not judged', exitCode: EXIT.notJudged };
  return { outcome: 'succeeded', exitCode: EXIT.succeeded };
}
