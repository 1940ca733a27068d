import type { EpochMs, RepositoryId, RunId, StepKey, StepShare } from '@delta-ci/contracts';
import type { MeasuredAttempt } from '@delta-ci/domain';
import type { LogConnection } from '../connection.ts';

/** A finished run, as a place in the order in which runs finished. */
export interface FinishedRun {
  readonly runId: RunId;
  readonly finishedAtMs: EpochMs;
}

/** What one finished run measured. */
export interface MeasuredRun extends FinishedRun {
  readonly attempts: readonly MeasuredAttempt[];
}

/** Of a repository's newest runs these are looked at: a few days of a busy one, a year of a quiet one. */
const RUNS_MAX = 200;
/** Attempts that are read at most, the newest first: some 100 for each of those runs. */
const ATTEMPTS_MAX = 20_000;

interface Row {
  runId: RunId;
  finishedAtMs: EpochMs;
  totalMs: number;
  keys: { key: StepKey; share?: StepShare }[];
  ms: number[];
}

/**
 * What somebody untrusted had run says nothing: a stranger could make any step look short or endless. Nor does what did not
 * succeed, since it may have ended early, nor what somebody looked into.
 */
const TEXT = `
  SELECT r.run_id AS "runId", r.finished_at_ms AS "finishedAtMs", a.finished_at_ms - a.started_at_ms AS "totalMs",
         p.steps AS keys, jsonb_path_query_array(a.report, '$.steps[*].usage.wallMs') AS ms
  FROM (
    SELECT run_id, plan_digest, finished_at_ms, live, change, rerun -> 'debug' AS debug FROM run WHERE repository_id = $1
    ORDER BY created_at_ms DESC, run_id DESC LIMIT $4
  ) r
  JOIN attempt a ON a.run_id = r.run_id AND a.outcome = 'succeeded'
  JOIN plan_job p ON p.plan_digest = r.plan_digest AND NOT p.skipped AND p.job_key = a.job_key
  WHERE NOT r.live AND r.debug IS NULL AND r.change ->> 'trust' = 'trusted' AND (r.finished_at_ms, r.run_id) > ($2, $3)
    AND p.steps IS NOT NULL AND a.started_at_ms IS NOT NULL AND a.report IS NOT NULL
  ORDER BY r.finished_at_ms DESC, r.run_id DESC, p.ordinal LIMIT $5`;

/** What trusted runs of a repository measured that finished after the one named, the first to finish first. */
export async function whatDidRunsMeasure(
  { pool }: LogConnection,
  repositoryId: RepositoryId,
  after: FinishedRun | null,
): Promise<MeasuredRun[]> {
  const { rows } = await pool.query<Row>({
    name: 'what-did-runs-measure',
    text: TEXT,
    values: [repositoryId, after?.finishedAtMs ?? 0, after?.runId ?? '', RUNS_MAX, ATTEMPTS_MAX],
  });
  const runs = Map.groupBy(rows.toReversed(), ({ runId }) => runId);
  return [...runs].map(([runId, attempts]) => ({
    runId,
    finishedAtMs: attempts[0]?.finishedAtMs ?? 0,
    attempts: attempts.flatMap(measuredAttempt),
  }));
}

/** A report that tells of other steps than were planned is no measure of them. */
function measuredAttempt({ totalMs, keys, ms }: Row): MeasuredAttempt[] {
  if (keys.length !== ms.length) return [];
  return [{ totalMs, steps: keys.map(({ key, share }, at) => ({ key, share: share ?? null, ms: ms[at] ?? 0 })) }];
}
