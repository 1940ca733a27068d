import type { EpochMs, RunPolicy } from '@delta-ci/contracts';
import { unreachable } from '../broken-invariant.ts';
import type { Attempt } from './job-progress.ts';

/**
 * When something has to be done about an attempt, other than expire its lease; null: nothing.
 * A working attempt gets the cancel deadline on top of the job's own time: its runner stops the job by itself when the
 * time is up and is given as long to say so as after a cancel. A leased one waits for its acceptance, which is the
 * first expiry of its lease.
 */
export function attemptDeadlineMs(attempt: Attempt, policy: RunPolicy): EpochMs | null {
  switch (attempt.state) {
    case 'queued':
      return attempt.queueDeadlineAtMs;
    case 'leased':
    case 'finished':
      return null;
    case 'starting':
    case 'running':
    case 'uploading':
      return attempt.jobDeadlineAtMs + policy.cancelDeadlineMs;
    case 'canceling':
      return attempt.cancelDeadlineAtMs;
    default:
      return unreachable(attempt);
  }
}
