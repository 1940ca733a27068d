import { runStream, type DomainEvent, type RecordedEvent } from '@delta-ci/contracts';
import { aChange } from '../../support/made-up/change.ts';
import { created, finished, leased, oneJobPlan, planned, ATTEMPT } from '../../support/made-up/one-job-run.ts';
import { aRepository } from '../../support/made-up/repository.ts';

/** Logs that never were: what the checker has to find is put into them by hand. */

export const RUN = `run_${'1'.repeat(32)}`;
export const RUNNER = `rnr_${'2'.repeat(32)}`;
/** The first event's time; every event comes a second after the one before. */
export const BEGIN_MS = 1_700_000_000_000;
export const STEP_MS = 1_000;

const FIRST = { leaseHash: 'a'.repeat(64), runnerId: RUNNER };

/** Events of one run as a log would hold them. */
export function recorded(events: readonly DomainEvent[], runId = RUN): RecordedEvent[] {
  return events.map((event, index) => ({
    ...event,
    id: `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    position: index + 1,
    stream: runStream(runId),
    version: index + 1,
    schemaVersion: 1,
    time: new Date(BEGIN_MS + index * STEP_MS).toISOString(),
    actor: { kind: 'service', name: 'test' },
    correlation: runId,
    causation: `command-${index}`,
    traceparent: null,
    prevHash: '',
    hash: String(index + 1),
  }));
}

/** One job that a runner took, and that succeeded. */
export const soundEvents = (): DomainEvent[] => [
  ...created(RUN, aRepository(), aChange()),
  ...planned(oneJobPlan()),
  ...leased(FIRST),
  ...finished(),
  { type: 'run.reported', data: { outcome: 'succeeded' } },
];

/** The second attempt of the job, after the first was lost, up to its lease. */
export function secondAttempt(lease = { leaseHash: 'b'.repeat(64), runnerId: `rnr_${'3'.repeat(32)}` }): DomainEvent[] {
  const queued = planned(oneJobPlan()).find(({ type }) => type === 'attempt.queued');
  if (queued?.type !== 'attempt.queued') throw new Error('a planned run queues its job');
  const again = { ...queued.data, attempt: 2, retryOf: { attempt: 1, because: 'lost' as const } };
  const granted = { jobKey: ATTEMPT.jobKey, attempt: 2, fence: 2, expiresAtMs: BEGIN_MS, ...lease };
  return [
    { type: 'attempt.queued', data: again },
    { type: 'lease.granted', data: granted },
  ];
}

/** The first attempt's lease runs out after so long a silence. */
export const expired = (silentSinceMs: number): DomainEvent[] => [
  { type: 'lease.expired', data: { ...ATTEMPT, fence: 1, silentSinceMs } },
  {
    type: 'attempt.finished',
    data: {
      ...ATTEMPT,
      outcome: 'lost',
      failureClass: 'infrastructure',
      reason: 'its runner was silent',
      report: null,
    },
  },
];
