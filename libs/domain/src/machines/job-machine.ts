import type { EventType, JobState } from '@delta-ci/contracts';
import type { Machine } from './machine.ts';

export const JOB_TRIGGERS = [
  'run.planned',
  'job.readied',
  'attempt.queued',
  'job.finished',
] as const satisfies readonly EventType[];
export type JobTrigger = (typeof JOB_TRIGGERS)[number];

/** A node of the plan. A retry is one more `attempt.queued` of a job that stays active. */
export const JOB_MACHINE: Machine<JobState, JobTrigger> = {
  name: 'job',
  birth: { on: 'run.planned', to: 'blocked' },
  triggers: JOB_TRIGGERS,
  transitions: {
    blocked: { 'job.readied': 'ready', 'job.finished': 'finished' },
    ready: { 'attempt.queued': 'active', 'job.finished': 'finished' },
    active: { 'attempt.queued': 'active', 'job.finished': 'finished' },
    finished: {},
  },
};
