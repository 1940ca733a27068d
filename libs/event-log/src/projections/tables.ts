import { ARTIFACT_STREAM, CACHE_STREAM, type StreamId } from '@delta-ci/contracts';
import type { ProjectionName, ProjectionRows } from './rows.ts';

export type ColumnType = 'text' | 'bigint' | 'integer' | 'boolean' | 'jsonb' | 'uuid';

/** How rows of one projection table are found and written. */
export interface ProjectionTable<N extends ProjectionName> {
  readonly name: N;
  readonly key: readonly (keyof ProjectionRows[N] & string)[];
  readonly columns: { readonly [C in keyof ProjectionRows[N]]: ColumnType };
  /**
   * A state column and its order: a change is taken only when it moves forward. States of the same rank never replace
   * each other, so the first ending of a lease is the one that stays.
   */
  readonly forward?: { readonly column: keyof ProjectionRows[N] & string; readonly ranks: readonly string[][] };
  /**
   * What a `put` does to a row with the same key. Absent: there is none, so finding one is an error. `partly`: only
   * the columns that are not null are taken over.
   */
  readonly replaces?: 'wholly' | 'partly';
  /** With `replaces`: a number that must not go back, so that an older row leaves a newer one as it is. */
  readonly newest?: keyof ProjectionRows[N] & string;
  /** Rows that several streams may write: written after the head is locked, so that writers cannot deadlock on them. */
  readonly sharedByStreams?: true;
  /** Rows are put by events of runs' streams, and patched by those of this one alone. */
  readonly patchedBy?: StreamId;
}

const RUN: ProjectionTable<'run'> = {
  name: 'run',
  key: ['run_id'],
  forward: {
    column: 'state',
    ranks: [['created'], ['planning'], ['queued'], ['running'], ['canceling'], ['finished']],
  },
  columns: {
    run_id: 'text',
    repository_id: 'text',
    repository: 'jsonb',
    change: 'jsonb',
    ref: 'text',
    pull_request: 'integer',
    actor: 'jsonb',
    actor_name: 'text',
    policy: 'jsonb',
    rerun: 'jsonb',
    traceparent: 'text',
    state: 'text',
    live: 'boolean',
    outcome: 'text',
    reason: 'text',
    created_at_ms: 'bigint',
    started_at_ms: 'bigint',
    finished_at_ms: 'bigint',
    reported: 'boolean',
    superseded_by: 'text',
    plan_digest: 'text',
    summary: 'text',
    planning_failure: 'jsonb',
  },
};

const JOB: ProjectionTable<'job'> = {
  name: 'job',
  key: ['run_id', 'job_key'],
  forward: { column: 'state', ranks: [['blocked'], ['ready'], ['active'], ['finished']] },
  columns: {
    run_id: 'text',
    job_key: 'text',
    ordinal: 'integer',
    needs: 'jsonb',
    policy: 'jsonb',
    requirements: 'jsonb',
    state: 'text',
    outcome: 'text',
    reason: 'text',
    finished_at_ms: 'bigint',
  },
};

const ATTEMPT: ProjectionTable<'attempt'> = {
  name: 'attempt',
  key: ['run_id', 'job_key', 'attempt'],
  forward: {
    column: 'state',
    ranks: [['queued'], ['leased'], ['starting'], ['running'], ['uploading'], ['canceling'], ['finished']],
  },
  columns: {
    run_id: 'text',
    job_key: 'text',
    attempt: 'integer',
    state: 'text',
    waiting: 'boolean',
    outcome: 'text',
    failure_class: 'text',
    reason: 'text',
    pool: 'text',
    priority: 'integer',
    requirements: 'jsonb',
    retry_of: 'jsonb',
    traceparent: 'text',
    runner_id: 'text',
    queued_at_ms: 'bigint',
    queue_deadline_at_ms: 'bigint',
    leased_at_ms: 'bigint',
    started_at_ms: 'bigint',
    finished_at_ms: 'bigint',
    cancel_deadline_at_ms: 'bigint',
    report: 'jsonb',
  },
};

const LEASE: ProjectionTable<'lease'> = {
  name: 'lease',
  key: ['run_id', 'job_key', 'fence'],
  forward: { column: 'state', ranks: [['granted'], ['active'], ['completed', 'canceled', 'expired', 'revoked']] },
  columns: {
    run_id: 'text',
    job_key: 'text',
    fence: 'integer',
    lease_hash: 'text',
    runner_id: 'text',
    state: 'text',
    live: 'boolean',
    granted_at_ms: 'bigint',
    expires_at_ms: 'bigint',
    activated_at_ms: 'bigint',
    job_deadline_at_ms: 'bigint',
    ended_at_ms: 'bigint',
  },
};

const ARTIFACT: ProjectionTable<'artifact'> = {
  name: 'artifact',
  replaces: 'wholly',
  patchedBy: ARTIFACT_STREAM,
  key: ['run_id', 'job_key', 'attempt', 'name'],
  columns: {
    run_id: 'text',
    job_key: 'text',
    attempt: 'integer',
    name: 'text',
    type: 'text',
    digest: 'text',
    size_bytes: 'bigint',
    retention_days: 'integer',
    recorded_at_ms: 'bigint',
    expired_at_ms: 'bigint',
  },
};

const CACHE: ProjectionTable<'cache'> = {
  name: 'cache',
  key: ['run_id', 'job_key', 'attempt', 'key'],
  // Of several runs one may save under a key: they wait for each other at the index that says so.
  sharedByStreams: true,
  patchedBy: CACHE_STREAM,
  columns: {
    run_id: 'text',
    job_key: 'text',
    attempt: 'integer',
    key: 'text',
    repository_id: 'text',
    domain: 'text',
    digest: 'text',
    size_bytes: 'bigint',
    content_bytes: 'bigint',
    content: 'jsonb',
    saved_at_ms: 'bigint',
    removed_at_ms: 'bigint',
  },
};

const EXPLANATION: ProjectionTable<'explanation'> = {
  name: 'explanation',
  replaces: 'wholly',
  key: ['run_id', 'job_key', 'attempt'],
  columns: { run_id: 'text', job_key: 'text', attempt: 'integer', explanation: 'jsonb' },
};

const PUBLICATION: ProjectionTable<'publication'> = {
  name: 'publication',
  replaces: 'wholly',
  key: ['run_id', 'target'],
  newest: 'view_position',
  columns: {
    run_id: 'text',
    target: 'text',
    external_id: 'text',
    view_position: 'bigint',
    digest: 'text',
    status: 'text',
    detail: 'text',
    final: 'text',
    published_at_ms: 'bigint',
  },
};

const DELIVERY: ProjectionTable<'delivery'> = {
  name: 'delivery',
  key: ['forge', 'delivery_id'],
  columns: {
    forge: 'text',
    delivery_id: 'text',
    event: 'text',
    payload_digest: 'text',
    run_id: 'text',
    ignored: 'text',
    accepted_at_ms: 'bigint',
  },
};

const RUNNER: ProjectionTable<'runner'> = {
  name: 'runner',
  replaces: 'wholly',
  key: ['runner_id'],
  columns: {
    runner_id: 'text',
    name: 'text',
    pool: 'text',
    capabilities: 'jsonb',
    version: 'text',
    registered_at_ms: 'bigint',
    present: 'boolean',
    retired_at_ms: 'bigint',
    retired_reason: 'text',
    exit_code: 'integer',
  },
};

const REPOSITORY: ProjectionTable<'repository'> = {
  name: 'repository',
  replaces: 'partly',
  key: ['repository_id'],
  sharedByStreams: true,
  columns: { repository_id: 'text', repository: 'jsonb', policy: 'jsonb' },
};

const POOL_DECISION: ProjectionTable<'pool_decision'> = {
  name: 'pool_decision',
  key: ['event_id'],
  columns: {
    event_id: 'uuid',
    pool: 'text',
    desired: 'integer',
    current: 'integer',
    action: 'text',
    count: 'integer',
    signals: 'jsonb',
    bounds: 'jsonb',
    applied: 'jsonb',
    sentence: 'text',
    decided_at_ms: 'bigint',
  },
};

const RECIPE: ProjectionTable<'recipe'> = {
  name: 'recipe',
  key: ['recipe_id'],
  columns: {
    recipe_id: 'text',
    repository_id: 'text',
    fingerprint: 'text',
    version: 'integer',
    digest: 'text',
    rules: 'text',
    learned_at_ms: 'bigint',
  },
};

const RECIPE_FAILURE: ProjectionTable<'recipe_failure'> = {
  name: 'recipe_failure',
  key: ['recipe_id', 'failed_in'],
  columns: { recipe_id: 'text', failed_in: 'text', reason: 'text', failed_at_ms: 'bigint' },
};

const CHECKPOINT: ProjectionTable<'checkpoint'> = {
  name: 'checkpoint',
  key: ['position'],
  columns: {
    position: 'bigint',
    hash: 'text',
    unfinished: 'text',
    time: 'text',
    key_id: 'text',
    signature: 'text',
  },
};

/** Every projection table, in the order in which they are written. */
export const PROJECTION_TABLES: { readonly [N in ProjectionName]: ProjectionTable<N> } = {
  run: RUN,
  job: JOB,
  attempt: ATTEMPT,
  lease: LEASE,
  artifact: ARTIFACT,
  cache: CACHE,
  explanation: EXPLANATION,
  publication: PUBLICATION,
  delivery: DELIVERY,
  runner: RUNNER,
  repository: REPOSITORY,
  pool_decision: POOL_DECISION,
  checkpoint: CHECKPOINT,
  recipe: RECIPE,
  recipe_failure: RECIPE_FAILURE,
};
export const PROJECTION_NAMES = Object.keys(PROJECTION_TABLES) as ProjectionName[];
