import type { AttemptState, EventType } from '@delta-ci/contracts';
import type { Machine } from './machine.ts';

export const ATTEMPT_TRIGGERS = [
  'attempt.queued',
  'lease.granted',
  'lease.activated',
  'attempt.started',
  'attempt.uploading',
  'attempt.cancel-requested',
  'attempt.finished',
] as const satisfies readonly EventType[];
export type AttemptTrigger = (typeof ATTEMPT_TRIGGERS)[number];

/**
 * One execution of a job. Progress is optional: a quick job finishes from `starting`. A queued attempt is nobody's
 * yet and is canceled at once, so `canceling` is reachable from the leased states only.
 */
export const ATTEMPT_MACHINE: Machine<AttemptState, AttemptTrigger> = {
  name: 'attempt',
  birth: { on: 'attempt.queued', to: 'queued' },
  triggers: ATTEMPT_TRIGGERS,
  transitions: {
    queued: { 'lease.granted': 'leased', 'attempt.finished': 'finished' },
    leased: {
      'lease.activated': 'starting',
      'attempt.cancel-requested': 'canceling',
      'attempt.finished': 'finished',
    },
    starting: {
      'attempt.started': 'running',
      'attempt.uploading': 'uploading',
      'attempt.cancel-requested': 'canceling',
      'attempt.finished': 'finished',
    },
    running: {
      'attempt.uploading': 'uploading',
      'attempt.cancel-requested': 'canceling',
      'attempt.finished': 'finished',
    },
    uploading: { 'attempt.cancel-requested': 'canceling', 'attempt.finished': 'finished' },
    canceling: { 'lease.activated': 'canceling', 'attempt.finished': 'finished' },
    finished: {},
  },
};
