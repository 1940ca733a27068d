import { JobKey, RunId } from '@delta-ci/contracts';
import { Problem } from './problem.ts';

/** An attempt as people name it: `RUN/JOB` for the latest of a job, or `RUN/JOB/N`. */
export interface AttemptPlace {
  readonly runId: string;
  readonly jobKey: string;
  readonly attempt: number | null;
}

/** @throws Problem `invalid_usage` when the text names none */
export function attemptIn(text: string): AttemptPlace {
  const [runId = '', jobKey = '', number, ...more] = text.split('/');
  const attempt = number === undefined ? null : Number(number);
  const isNumber = attempt === null || (Number.isInteger(attempt) && attempt > 0);
  if (RunId.safeParse(runId).success && JobKey.safeParse(jobKey).success && isNumber && more.length === 0) {
    return { runId, jobKey, attempt };
  }
  throw new Problem('invalid_usage', `"${text}" names no attempt`, {
    next: 'name it as RUN/JOB, for the latest, or RUN/JOB/N: run_0199f2.../test-cart/1',
  });
}
