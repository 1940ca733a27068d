import type { ProjectionName, ProjectionRows } from './rows.ts';

/** The columns of each table that change after their row was put. All others stay as they were. */
export const CHANGING_COLUMNS = {
  run: [
    'policy',
    'state',
    'live',
    'outcome',
    'reason',
    'started_at_ms',
    'finished_at_ms',
    'reported',
    'superseded_by',
    'plan_digest',
    'summary',
    'planning_failure',
  ],
  job: ['state', 'outcome', 'reason', 'finished_at_ms'],
  attempt: [
    'state',
    'waiting',
    'outcome',
    'failure_class',
    'reason',
    'runner_id',
    'leased_at_ms',
    'started_at_ms',
    'finished_at_ms',
    'cancel_deadline_at_ms',
    'report',
  ],
  lease: ['state', 'live', 'activated_at_ms', 'job_deadline_at_ms', 'ended_at_ms'],
  runner: ['present', 'retired_at_ms', 'retired_reason', 'exit_code'],
  artifact: ['expired_at_ms'],
  cache: ['removed_at_ms'],
  explanation: [],
  publication: [],
  delivery: [],
  repository: [],
  pool_decision: [],
  checkpoint: [],
  recipe: [],
  recipe_failure: [],
} as const satisfies { readonly [N in ProjectionName]: readonly (keyof ProjectionRows[N])[] };

export type ChangingColumn<N extends ProjectionName> = (typeof CHANGING_COLUMNS)[N][number] & keyof ProjectionRows[N];
