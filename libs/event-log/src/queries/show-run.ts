import {
  isShadow,
  runStream,
  type AttemptView,
  type JobPolicy,
  type JobView,
  type RunId,
  type RunView,
  type SkippedJobView,
} from '@delta-ci/contracts';
import type { EntityManager } from 'typeorm';
import type { LogConnection } from '../connection.ts';
import type { ProjectionName, ProjectionRows } from '../projections/rows.ts';
import { jobCountsOf, runSummaryOf } from './run-summary.ts';

/** Everything the public API shows of one run, as of one log position; null when there is no such run. */
export function showRun({ reads }: LogConnection, runId: RunId): Promise<RunView | null> {
  return reads.transaction('REPEATABLE READ', (manager) => viewOf(manager, runId));
}

async function viewOf(manager: EntityManager, runId: RunId): Promise<RunView | null> {
  const heads: { position: number }[] = await manager.query('SELECT position FROM log_head');
  const run = await manager.findOne<ProjectionRows['run']>('run', { where: { run_id: runId } });
  if (run === null) return null;
  const counts = await jobCountsOf(manager, [runId]);
  const planJobs = await planJobsOf(manager, run.plan_digest);
  return {
    ...runSummaryOf(run, counts.get(runId) ?? {}),
    position: heads[0]?.position ?? 0,
    jobs: await jobsOf(manager, runId, planJobs),
    skipped: planJobs.filter((job) => job.skipped).map(skippedOf),
    planning: run.planning_failure as RunView['planning'],
    publications: await publicationsOf(manager, runId),
    checkpoint: await checkpointOf(manager, runId),
  };
}

/** The first that covers the newest record of the run's stream. */
async function checkpointOf(manager: EntityManager, runId: RunId): Promise<RunView['checkpoint']> {
  const rows: NonNullable<RunView['checkpoint']>[] = await manager.query(
    `SELECT position, time, key_id AS "keyId" FROM checkpoint
     WHERE position >= (SELECT position FROM event WHERE stream = $1 ORDER BY version DESC LIMIT 1)
     ORDER BY position LIMIT 1`,
    [runStream(runId)],
  );
  return rows[0] ?? null;
}

interface PlanJobRow {
  job_key: string;
  skipped: boolean;
  title: string;
  kind: JobView['kind'];
  unit: string | null;
  sentence: string;
}

async function planJobsOf(manager: EntityManager, digest: string | null): Promise<PlanJobRow[]> {
  return manager.query(
    `SELECT job_key, skipped, title, kind, unit, sentence FROM plan_job
     WHERE plan_digest = $1 ORDER BY skipped, ordinal`,
    [digest],
  );
}

const skippedOf = ({ job_key, title, unit, sentence }: PlanJobRow): SkippedJobView => ({
  key: job_key,
  title,
  unit,
  sentence,
});

async function publicationsOf(manager: EntityManager, runId: RunId): Promise<RunView['publications']> {
  const rows = await rowsOf(manager, 'publication', runId, { target: 'ASC' });
  return rows.map(({ target, external_id, digest, status, view_position, final }) => ({
    target,
    externalId: external_id,
    digest,
    status,
    viewPosition: view_position,
    final: final as RunView['publications'][number]['final'],
  }));
}

async function jobsOf(manager: EntityManager, runId: RunId, planJobs: readonly PlanJobRow[]): Promise<JobView[]> {
  const planned = new Map(planJobs.filter((job) => !job.skipped).map((job) => [job.job_key, job]));
  const jobs = await rowsOf(manager, 'job', runId, { ordinal: 'ASC' });
  const attempts = await attemptsOf(manager, runId);
  return jobs.map((job) => jobView(job, planned.get(job.job_key), attempts.get(job.job_key) ?? []));
}

/** Before the body of a plan is stored a job is shown by its key alone. */
function jobView(job: ProjectionRows['job'], planned: PlanJobRow | undefined, attempts: AttemptView[]): JobView {
  const policy = job.policy as JobPolicy;
  return {
    key: job.job_key,
    title: planned?.title ?? job.job_key,
    kind: planned?.kind ?? null,
    unit: planned?.unit ?? null,
    needs: job.needs as JobView['needs'],
    required: policy.required,
    shadow: isShadow(policy),
    state: job.state as JobView['state'],
    outcome: job.outcome as JobView['outcome'],
    reason: job.reason,
    sentence: planned?.sentence ?? '',
    attempts,
  };
}

async function attemptsOf(manager: EntityManager, runId: RunId): Promise<Map<string, AttemptView[]>> {
  const rows = await rowsOf(manager, 'attempt', runId, { job_key: 'ASC', attempt: 'ASC' });
  const artifacts = await rowsOf(manager, 'artifact', runId, { name: 'ASC' });
  const explanations = await rowsOf(manager, 'explanation', runId, {});
  const views = new Map<string, AttemptView[]>();
  const artifactsOf = Map.groupBy(artifacts, nameOf);
  const explanationOf = new Map(explanations.map((row) => [nameOf(row), row.explanation]));
  for (const row of rows) {
    const view = attemptView(row, artifactsOf.get(nameOf(row)) ?? [], explanationOf.get(nameOf(row)) ?? null);
    views.set(row.job_key, [...(views.get(row.job_key) ?? []), view]);
  }
  return views;
}

const nameOf = (row: { job_key: string; attempt: number }): string => `${row.job_key}.${row.attempt}`;

function attemptView(
  row: ProjectionRows['attempt'],
  artifacts: readonly ProjectionRows['artifact'][],
  explanation: unknown,
): AttemptView {
  return {
    attempt: row.attempt,
    state: row.state as AttemptView['state'],
    outcome: row.outcome as AttemptView['outcome'],
    failureClass: row.failure_class as AttemptView['failureClass'],
    reason: row.reason,
    runnerId: row.runner_id,
    pool: row.pool,
    queuedAtMs: row.queued_at_ms,
    leasedAtMs: row.leased_at_ms,
    startedAtMs: row.started_at_ms,
    finishedAtMs: row.finished_at_ms,
    report: row.report as AttemptView['report'],
    artifacts: artifacts.map(({ name, type, digest, size_bytes, retention_days, expired_at_ms }) => ({
      name,
      type: type as AttemptView['artifacts'][number]['type'],
      digest,
      sizeBytes: size_bytes,
      retentionDays: retention_days,
      ...(expired_at_ms === null ? {} : { expiredAtMs: expired_at_ms }),
    })),
    explanation: explanation as AttemptView['explanation'],
  };
}

type OfRun = Extract<ProjectionName, 'job' | 'attempt' | 'artifact' | 'explanation' | 'publication'>;

function rowsOf<N extends OfRun>(
  manager: EntityManager,
  table: N,
  runId: RunId,
  order: Readonly<Record<string, 'ASC'>>,
): Promise<ProjectionRows[N][]> {
  return manager.find<ProjectionRows[N]>(table, { where: { run_id: runId } as never, order: order as never });
}
