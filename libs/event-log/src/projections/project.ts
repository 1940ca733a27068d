import type { EventType } from '@delta-ci/contracts';
import * as attempt from './attempt-rows.ts';
import * as other from './other-rows.ts';
import * as cache from './cache-rows.ts';
import type { ProjectedEvent } from './projected-event.ts';
import * as recipe from './recipe-rows.ts';
import type { RowChange } from './row-change.ts';
import * as run from './run-rows.ts';

type Projection<T extends EventType> = (event: ProjectedEvent<T>) => RowChange[];

/** Events that change no table. */
const none = (): RowChange[] => [];

/** What each event changes in the tables. A new event does not compile until somebody has decided. */
const PROJECTIONS: { readonly [T in EventType]: Projection<T> } = {
  'delivery.accepted': other.onDeliveryAccepted,
  'delivery.ignored': other.onDeliveryIgnored,
  'run.created': run.onRunCreated,
  'run.planning-started': run.onRunPlanningStarted,
  'run.planned': run.onRunPlanned,
  'run.planning-failed': run.onRunPlanningFailed,
  'run.started': run.onRunStarted,
  'run.superseded': run.onRunSuperseded,
  'run.cancel-requested': run.onRunCancelRequested,
  'run.finished': run.onRunFinished,
  'run.reported': run.onRunReported,
  'job.readied': run.onJobReadied,
  'job.finished': run.onJobFinished,
  'attempt.queued': attempt.onAttemptQueued,
  'attempt.started': attempt.onAttemptStarted,
  'attempt.uploading': attempt.onAttemptUploading,
  'attempt.cancel-requested': attempt.onAttemptCancelRequested,
  'attempt.finished': attempt.onAttemptFinished,
  'lease.granted': attempt.onLeaseGranted,
  'lease.secrets-handed-out': none,
  'lease.activated': attempt.onLeaseActivated,
  'debug.opened': none,
  'lease.expired': attempt.onLeaseExpired,
  'lease.revoked': attempt.onLeaseRevoked,
  'lease.stale-report-refused': none,
  'artifact.recorded': attempt.onArtifactRecorded,
  'artifact.expired': attempt.onArtifactExpired,
  'cache.saved': cache.onCacheSaved,
  'cache.removed': cache.onCacheRemoved,
  'failure.explained': attempt.onFailureExplained,
  'publication.recorded': other.onPublicationRecorded,
  'recipe.learned': recipe.onRecipeLearned,
  'recipe.staled': recipe.onRecipeStaled,
  'runner.registered': other.onRunnerRegistered,
  'runner.retired': other.onRunnerRetired,
  'scaling.decided': other.onScalingDecided,
  'policy.changed': other.onPolicyChanged,
  'checkpoint.signed': other.onCheckpointSigned,
  'operator.acted': none,
};

/** The row changes of one event, in order. Pure: live projection and rebuilding from the log run this same code. */
export function project<T extends EventType>(event: ProjectedEvent<T>): RowChange[] {
  const projection: Projection<T> = PROJECTIONS[event.type as T];
  return projection(event);
}
