import type { CommandName, EventType, ReportKind } from '@delta-ci/contracts';

/** What each event, command and report means, in one line. A type that is missing here does not type-check. */

export const EVENT_MEANINGS: Readonly<Record<EventType, string>> = {
  'delivery.accepted': 'a webhook delivery led to a run',
  'delivery.ignored': 'a webhook delivery asked for nothing we act on',
  'run.created': 'a change is to be evaluated',
  'run.planning-started': 'a planner is asked for the plan, with a deadline',
  'run.planned': 'the plan was accepted; jobs in brief, the whole under its digest',
  'run.planning-failed': 'there is no plan, and why',
  'run.started': 'the first runner got a job',
  'run.superseded': 'a newer head took the run’s place',
  'run.cancel-requested': 'the run is to stop, by a deadline',
  'run.finished': 'the run is over',
  'run.reported': 'the forge shows the final state',
  'job.readied': 'all it needs have succeeded or are allowed to fail',
  'job.finished': 'the job is over',
  'attempt.queued': 'an attempt waits for a runner',
  'attempt.started': 'the runner runs the job’s steps',
  'attempt.uploading': 'the runner uploads what the job left',
  'attempt.cancel-requested': 'the runner is asked to stop, by a deadline',
  'attempt.finished': 'the attempt is over',
  'lease.granted': 'a runner has the right to an attempt, if it accepts in time',
  'lease.activated': 'the runner accepted; the job’s time runs',
  'lease.expired': 'the runner was silent for longer than the lease holds',
  'lease.revoked': 'the lease was taken away',
  'lease.stale-report-refused': 'a report came with a lease that is not the current one',
  'artifact.recorded': 'an artifact of an attempt is stored',
  'failure.explained': 'why an attempt failed, with evidence',
  'publication.recorded': 'what the forge was told, and how it took it',
  'recipe.learned': 'a way to build and test a kind of repository is known to work',
  'recipe.staled': 'a recipe no longer works',
  'runner.registered': 'a runner is there',
  'runner.retired': 'a runner is gone',
  'scaling.decided': 'what a pool’s capacity should be, and why',
  'policy.changed': 'a repository’s stored policy changed',
  'checkpoint.signed': 'the log up to a position is vouched for',
  'operator.acted': 'a person did something by hand',
};

export const COMMAND_MEANINGS: Readonly<Record<CommandName, string>> = {
  'accept-delivery': 'act on a webhook delivery, or note why not',
  'request-run': 'evaluate a change',
  'cancel-run': 'stop a run',
  rerun: 'evaluate the same change again, in a run of its own',
  'register-runner': 'note that a runner is there',
  'grant-lease': 'give a waiting runner an attempt',
  'acknowledge-lease': 'accept a lease',
  heartbeat: 'renew a lease and say how far the job is',
  'complete-attempt': 'report how the job ended',
  'acknowledge-cancel': 'report that the job was stopped as asked',
  'record-artifact': 'note an artifact that was uploaded',
  'set-policy': 'change a repository’s stored policy',
};

export const REPORT_MEANINGS: Readonly<Record<ReportKind, string>> = {
  'planner.plan-proposed': 'a plan for a run',
  'planner.planning-failed': 'why there is none',
  'failure-analyzer.failure-explained': 'why an attempt failed',
  'status-reporter.publication': 'what was published to the forge',
  'runner-controller.scaling-decision': 'what a pool’s capacity should be',
  'runner-controller.runner-exit': 'a runner’s process ended',
};
