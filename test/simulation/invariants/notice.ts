import type { Sometime, Sometimes } from '../world/sometimes.ts';
import type { EventRecord } from './record.ts';

/** What the log says was provoked. */
export function noticeInLog({ type, data }: EventRecord, sometimes: Sometimes): void {
  const noticed = noticedIn(type, data);
  if (noticed !== null) sometimes.happened(noticed);
}

function noticedIn(type: string, data: EventRecord['data']): Sometime | null {
  switch (type) {
    case 'lease.stale-report-refused':
      return data['reason'] === 'expired' ? 'a lease ran out, and its late report was refused' : null;
    case 'artifact.recorded':
      return 'an artifact was recorded';
    case 'attempt.queued':
      return retryIn(data['retryOf'] as { because: string } | null, data['jobKey'] === 'shadow');
    case 'run.superseded':
      return 'a run was superseded';
    case 'run.planning-failed':
      return data['code'] === 'planning_timed_out' ? 'planning took too long' : null;
    case 'run.finished':
      return data['outcome'] === 'timed_out' && String(data['reason']).startsWith('the run reached')
        ? 'a run reached its own limit'
        : null;
    case 'job.finished':
      return String(data['reason']).includes('no further attempt') ? 'budgets were used up' : null;
    case 'attempt.finished':
      return endIn(data);
    default:
      return null;
  }
}

function retryIn(retryOf: { because: string } | null, isShadow: boolean): Sometime | null {
  if (retryOf === null) return null;
  if (retryOf.because === 'lost') return 'a runner was lost and its job went to another';
  return isShadow ? 'a shadow was tried again' : 'a failure was tried again';
}

function endIn({ outcome, reason, report }: EventRecord['data']): Sometime | null {
  const because = String(reason);
  if (outcome === 'canceled' && report !== null) return 'a cancel was acknowledged by the runner';
  if (because.startsWith('it did not stop by the deadline')) return 'a cancel was forced at its deadline';
  if (because.startsWith('the job reached its limit')) return 'a job reached its limit';
  return because.startsWith('no runner took it') ? 'an attempt waited too long' : null;
}
