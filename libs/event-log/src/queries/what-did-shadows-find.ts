import type { EpochMs, RepositoryId, RunId, SampledRun } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';
import type { FinishedRun } from './what-did-runs-measure.ts';

/** Of a repository's samples the newest are looked at. */
const SAMPLES_MAX = 2_000;

interface Row {
  runId: RunId;
  commit: string;
  finishedAtMs: EpochMs;
  failed: boolean;
  undecided: boolean;
  jobs: SampledRun['jobs'];
}

/**
 * Reruns are left out: they are no further change. What strangers had run proves nothing, though no plan samples it. A failure
 * counts that the job itself was to blame for, as far as its report says: of a selected job no less than of a shadow.
 */
const TEXT = `
  SELECT r.run_id AS "runId", r.commit, r.finished_at_ms AS "finishedAtMs",
    bool_or(NOT j.policy ? 'leftOut' AND gates AND j.outcome IN ('failed', 'timed_out') AND failures + timeouts > 0) AS failed,
    bool_or(NOT j.policy ? 'leftOut' AND gates AND j.outcome <> 'succeeded') AS undecided,
    jsonb_agg(jsonb_build_object('key', j.job_key, 'leftOut', j.policy -> 'leftOut', 'outcome', j.outcome, 'failures',
      failures) ORDER BY j.ordinal) FILTER (WHERE j.policy ? 'leftOut') AS jobs
  FROM (
    SELECT run_id, finished_at_ms, change ->> 'head' AS commit FROM run
    WHERE repository_id = $1 AND run_id IN (SELECT run_id FROM job WHERE policy ? 'leftOut')
      AND NOT live AND rerun IS NULL AND change ->> 'trust' = 'trusted' AND (finished_at_ms, run_id) > ($2, $3)
    ORDER BY finished_at_ms DESC, run_id DESC LIMIT $4
  ) r
  JOIN job j ON j.run_id = r.run_id
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE outcome = 'failed') AS failures, count(*) FILTER (WHERE outcome = 'timed_out') AS timeouts
    FROM attempt a
    WHERE a.run_id = j.run_id AND a.job_key = j.job_key AND a.failure_class IS DISTINCT FROM 'infrastructure'
  ) tried
  CROSS JOIN LATERAL (
    SELECT (j.policy ->> 'required')::boolean AND NOT (j.policy ->> 'allowFailure')::boolean AS gates
  ) counted
  GROUP BY r.run_id, r.commit, r.finished_at_ms
  ORDER BY r.finished_at_ms DESC, r.run_id DESC`;

/** Samples of a repository that finished after the run that is named, the first to finish first. */
export async function whatDidShadowsFind(
  { pool }: LogConnection,
  repositoryId: RepositoryId,
  after: FinishedRun | null = null,
): Promise<SampledRun[]> {
  const { rows } = await pool.query<Row>({
    name: 'what-did-shadows-find',
    text: TEXT,
    values: [repositoryId, after?.finishedAtMs ?? 0, after?.runId ?? '', SAMPLES_MAX],
  });
  return rows.toReversed().map(({ runId, commit, finishedAtMs, failed, undecided, jobs }) => ({
    runId,
    commit,
    finishedAtMs,
    selected: failed ? 'failed' : undecided ? 'undecided' : 'passed',
    jobs,
  }));
}
