import type { EventHandlers } from '@delta-ci/bus';
import type { EventType, RecordedEvent, RunId } from '@delta-ci/contracts';
import type { LookCause } from './run-queue.ts';

/** Wants a look at a run. `urgent`: somebody waits for exactly this. */
export type WantLook = (runId: RunId, cause: LookCause, urgent: boolean) => void;

/**
 * Events after which a run may have to be shown differently. What the reporter itself caused (`publication.recorded`,
 * `run.reported`) and what no check shows (leases, artifacts) is not among them.
 */
const SHOWN = [
  'run.created',
  'run.planned',
  'run.planning-failed',
  'run.started',
  'run.superseded',
  'run.cancel-requested',
  'run.finished',
  'job.readied',
  'job.finished',
  'attempt.queued',
  'attempt.started',
  'attempt.cancel-requested',
  'attempt.finished',
  'failure.explained',
] as const satisfies readonly EventType[];

/** A gate must be there at once, and final at once. */
const URGENT: ReadonlySet<EventType> = new Set(['run.created', 'run.planned', 'run.planning-failed', 'run.finished']);

/** Events only wake the reporter up: it looks at the run as it is then. */
export function eventHandlers(want: WantLook): EventHandlers {
  const wake = async (event: RecordedEvent): Promise<void> => {
    const { correlation, id, traceparent, type } = event;
    if (correlation !== null) want(correlation, { causation: id, traceparent }, URGENT.has(type));
    return Promise.resolve();
  };
  return Object.fromEntries(SHOWN.map((type) => [type, wake]));
}
