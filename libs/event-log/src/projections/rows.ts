import type { RunId } from '@delta-ci/contracts';

/**
 * The columns of each projection table, as the database names them. `jsonb` columns take any JSON value.
 * Times end in `_at_ms`: milliseconds since the epoch, by the database's clock.
 */
export interface ProjectionRows {
  run: {
    run_id: RunId;
    repository_id: string;
    repository: unknown;
    change: unknown;
    ref: string;
    pull_request: number | null;
    actor: unknown;
    actor_name: string;
    policy: unknown;
    rerun: unknown;
    traceparent: string | null;
    state: string;
    live: boolean;
    outcome: string | null;
    reason: string;
    created_at_ms: number;
    started_at_ms: number | null;
    finished_at_ms: number | null;
    reported: boolean;
    superseded_by: string | null;
    plan_digest: string | null;
    summary: string;
    planning_failure: unknown;
  };
  job: {
    run_id: RunId;
    job_key: string;
    ordinal: number;
    needs: unknown;
    policy: unknown;
    requirements: unknown;
    state: string;
    outcome: string | null;
    reason: string;
    finished_at_ms: number | null;
  };
  attempt: {
    run_id: RunId;
    job_key: string;
    attempt: number;
    state: string;
    waiting: boolean;
    outcome: string | null;
    failure_class: string | null;
    reason: string;
    pool: string;
    priority: number;
    requirements: unknown;
    retry_of: unknown;
    traceparent: string | null;
    runner_id: string | null;
    queued_at_ms: number;
    queue_deadline_at_ms: number;
    leased_at_ms: number | null;
    started_at_ms: number | null;
    finished_at_ms: number | null;
    cancel_deadline_at_ms: number | null;
    report: unknown;
  };
  lease: {
    run_id: RunId;
    job_key: string;
    fence: number;
    lease_hash: string;
    runner_id: string;
    state: string;
    live: boolean;
    granted_at_ms: number;
    expires_at_ms: number;
    activated_at_ms: number | null;
    job_deadline_at_ms: number | null;
    ended_at_ms: number | null;
  };
  artifact: {
    run_id: RunId;
    job_key: string;
    attempt: number;
    name: string;
    type: string;
    digest: string;
    size_bytes: number;
    retention_days: number;
    recorded_at_ms: number;
    expired_at_ms: number | null;
  };
  cache: {
    run_id: RunId;
    job_key: string;
    attempt: number;
    key: string;
    repository_id: string;
    domain: string;
    digest: string;
    size_bytes: number;
    content_bytes: number;
    content: unknown;
    saved_at_ms: number;
    removed_at_ms: number | null;
  };
  explanation: { run_id: RunId; job_key: string; attempt: number; explanation: unknown };
  publication: {
    run_id: RunId;
    target: string;
    external_id: string;
    view_position: number;
    digest: string;
    status: string;
    detail: string;
    final: string | null;
    published_at_ms: number;
  };
  delivery: {
    forge: string;
    delivery_id: string;
    event: string;
    payload_digest: string;
    run_id: string | null;
    ignored: string | null;
    accepted_at_ms: number;
  };
  runner: {
    runner_id: string;
    name: string;
    pool: string;
    capabilities: unknown;
    version: string;
    registered_at_ms: number;
    present: boolean;
    retired_at_ms: number | null;
    retired_reason: string | null;
    exit_code: number | null;
  };
  repository: { repository_id: string; repository: unknown; policy: unknown };
  pool_decision: {
    event_id: string;
    pool: string;
    desired: number;
    current: number;
    action: string;
    count: number;
    signals: unknown;
    bounds: unknown;
    applied: unknown;
    sentence: string;
    decided_at_ms: number;
  };
  recipe: {
    recipe_id: string;
    repository_id: string;
    fingerprint: string;
    version: number;
    digest: string;
    rules: string;
    learned_at_ms: number;
  };
  /** Runs that failed because of a recipe. */
  recipe_failure: { recipe_id: string; failed_in: string; reason: string; failed_at_ms: number };
  checkpoint: {
    position: number;
    hash: string;
    unfinished: string;
    time: string;
    key_id: string;
    signature: string;
  };
}

export type ProjectionName = keyof ProjectionRows;
