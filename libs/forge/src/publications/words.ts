import type { JobOutcome, JobView, RunOutcome } from '@delta-ci/contracts';
import type { CheckAction, CheckConclusion } from './publication.ts';

const CONCLUSIONS: Readonly<Record<JobOutcome, CheckConclusion>> = {
  succeeded: 'success',
  failed: 'failure',
  canceled: 'cancelled',
  timed_out: 'timed_out',
  skipped: 'skipped',
};

export const conclusionOfRun = (outcome: RunOutcome): CheckConclusion => CONCLUSIONS[outcome];

/** A job that is not required and failed is told, in grey: red is for what the gate counts. */
export function conclusionOfJob({ outcome, required }: Pick<JobView, 'outcome' | 'required'>): CheckConclusion {
  if (outcome === null) return 'cancelled';
  const conclusion = CONCLUSIONS[outcome];
  return !required && (conclusion === 'failure' || conclusion === 'timed_out') ? 'neutral' : conclusion;
}

/** GitHub's own limits: 20 characters for label and identifier, 40 for the description. */
export const WHY: CheckAction = { label: 'Why', description: 'Why this ran, and what it decided', identifier: 'why' };
export const RERUN_FAILED: CheckAction = {
  label: 'Rerun failed',
  description: 'Run what failed again, as a new run',
  identifier: 'rerun-failed',
};
