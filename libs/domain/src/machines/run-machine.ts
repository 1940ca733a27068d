import type { EventType, RunState } from '@delta-ci/contracts';
import type { Machine } from './machine.ts';

export const RUN_TRIGGERS = [
  'run.created',
  'run.planning-started',
  'run.planned',
  'run.planning-failed',
  'run.started',
  'run.superseded',
  'run.cancel-requested',
  'run.finished',
] as const satisfies readonly EventType[];
export type RunTrigger = (typeof RUN_TRIGGERS)[number];

/** One evaluation of one change. `run.superseded` is a fact about a live run; the cancel that follows moves it. */
export const RUN_MACHINE: Machine<RunState, RunTrigger> = {
  name: 'run',
  birth: { on: 'run.created', to: 'created' },
  triggers: RUN_TRIGGERS,
  transitions: {
    created: {
      'run.planning-started': 'planning',
      'run.superseded': 'created',
      'run.cancel-requested': 'canceling',
      'run.finished': 'finished',
    },
    planning: {
      'run.planned': 'queued',
      'run.planning-failed': 'planning',
      'run.superseded': 'planning',
      'run.cancel-requested': 'canceling',
      'run.finished': 'finished',
    },
    queued: {
      'run.started': 'running',
      'run.superseded': 'queued',
      'run.cancel-requested': 'canceling',
      'run.finished': 'finished',
    },
    running: { 'run.superseded': 'running', 'run.cancel-requested': 'canceling', 'run.finished': 'finished' },
    canceling: { 'run.superseded': 'canceling', 'run.finished': 'finished' },
    finished: {},
  },
};
