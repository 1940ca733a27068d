import {
  RunnerCapabilities,
  type JobAtMoment,
  type JobKey,
  type JobRequirements,
  type JobState,
  type Moment,
  type MomentView,
  type PoolName,
  type RunId,
  type RunPolicy,
  type RunState,
  type WhyItWaits,
} from '@delta-ci/contracts';
import { whyItWaits } from '@delta-ci/domain';
import type { LogConnection } from '../connection.ts';
import type { ProjectionRows } from '../projections/rows.ts';
import { findMoment, type FoundMoment } from './find-moment.ts';
import { lastDecisions, whichRunnersWereThere, type DecisionThen, type RunnerThen } from './pools-at.ts';
import { foldRunsUpTo, whichRunsWereLive, type RunCursor, type RunRowsAt } from './runs-at.ts';

/**
 * The system as it stood at a moment of the past.
 *
 * The log itself says it, and only a little of it is read. The position's own event says when the moment was (a time is
 * found by halving the log). The index over when runs were created gives the few that can have been under way then; their
 * streams, and no others, are folded up to the position by the projections that also make the tables. So a question costs
 * as much as there was work then, however long the log is, and answers come in pages of runs. Runners and scaling
 * decisions change once in their life, so what is recorded of them says how they were.
 */

export interface MomentQuery {
  readonly moment: Moment;
  /** Runs of a page, at most. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** Null when there is no such moment in this log; `invalid-cursor` for a cursor that this list did not give out. */
export async function showMoment(
  log: LogConnection,
  { moment, limit, cursor }: MomentQuery,
): Promise<MomentView | null | 'invalid-cursor'> {
  const after = cursor === undefined ? null : readCursor(cursor);
  if (after === undefined) return 'invalid-cursor';
  const found = await findMoment(log, moment);
  if (found === null) return null;
  const candidates = await whichRunsWereLive(log, found, after, limit);
  const folded = await foldRunsUpTo(
    log,
    candidates.map(({ runId }) => runId),
    found.position,
  );
  const runs = [...folded.values()].filter(({ run }) => run?.live === true);
  const scenery = await sceneryAt(log, found);
  const last = candidates.length < limit ? undefined : candidates.at(-1);
  return {
    ...found,
    runs: runs.flatMap(runView),
    queue: runs.flatMap((rows) => queueOf(rows, scenery)),
    leases: runs.flatMap(leasesOf),
    runners: scenery.runners.map((runner) => runnerView(runner, scenery)),
    pools: poolsOf(scenery),
    nextCursor: last === undefined ? null : `${last.createdAtMs}.${last.runId}`,
  };
}

/** How a job stood and what it waited for; null when there is no such moment, or the run or job was not there then. */
export async function showJobAtMoment(
  log: LogConnection,
  { moment, runId, jobKey }: { readonly moment: Moment; readonly runId: RunId; readonly jobKey: JobKey },
): Promise<JobAtMoment | null> {
  const found = await findMoment(log, moment);
  if (found === null) return null;
  const rows = (await foldRunsUpTo(log, [runId], found.position)).get(runId);
  const run = rows?.run;
  if (rows === undefined || run === undefined) return null;
  const job = rows.of('job').find((one) => one.job_key === jobKey);
  if (job === undefined && rows.of('job').length > 0) return null;
  const scenery = await sceneryAt(log, found);
  const { state, outcome } = run;
  return {
    ...found,
    runId,
    runState: state as RunState,
    runOutcome: outcome as JobAtMoment['runOutcome'],
    jobKey,
    state: (job?.state ?? null) as JobState | null,
    why: whyOf(rows, run, jobKey, scenery),
  };
}

/** What jobs could wait for, besides their own run: of all that was under way, whichever page of it is shown. */
interface Scenery {
  readonly runners: readonly RunnerThen[];
  /** Those with a lease, and the spent. */
  readonly busy: ReadonlySet<string>;
  /** Attempts that waited, by their pool. */
  readonly queued: ReadonlyMap<PoolName, number>;
  readonly decisions: ReadonlyMap<PoolName, DecisionThen>;
}

async function sceneryAt(log: LogConnection, found: FoundMoment): Promise<Scenery> {
  const runners = await whichRunnersWereThere(log, found);
  const { busy, queued } = await workAt(log, found);
  for (const { runnerId, spent } of runners) if (spent) busy.add(runnerId);
  const pools = [...new Set([...runners.map(({ pool }) => pool), ...queued.keys()])];
  return { runners, busy, queued, decisions: await lastDecisions(log, pools, found) };
}

/** Runs folded at a time: of each it is only kept who worked for it, and where it waited. */
const RUNS_AT_ONCE = 100;

async function workAt(
  log: LogConnection,
  found: FoundMoment,
): Promise<{ busy: Set<string>; queued: Scenery['queued'] }> {
  const busy = new Set<string>();
  const queued = new Map<PoolName, number>();
  for (let after: RunCursor | null = null; ;) {
    const stretch: RunCursor[] = await whichRunsWereLive(log, found, after, RUNS_AT_ONCE);
    const runIds = stretch.map(({ runId }) => runId);
    for (const rows of (await foldRunsUpTo(log, runIds, found.position)).values()) {
      for (const { live, runner_id } of rows.of('lease')) if (live) busy.add(runner_id);
      for (const { pool, waiting } of rows.of('attempt')) queued.set(pool, (queued.get(pool) ?? 0) + (waiting ? 1 : 0));
    }
    after = stretch.at(-1) ?? null;
    if (stretch.length < RUNS_AT_ONCE) return { busy, queued };
  }
}

function runnerView(runner: RunnerThen, { busy }: Scenery): MomentView['runners'][number] {
  const { capabilities: _, spent: __, ...shown } = runner;
  return { ...shown, busy: busy.has(runner.runnerId) };
}

function runView(rows: RunRowsAt): MomentView['runs'] {
  const { run } = rows;
  if (run === undefined) return [];
  const jobCounts: Record<string, number> = {};
  for (const { state } of rows.of('job')) jobCounts[state] = (jobCounts[state] ?? 0) + 1;
  const { run_id, repository_id, ref, state, created_at_ms } = run;
  return [
    {
      runId: run_id,
      repositoryId: repository_id,
      ref,
      state: state as RunState,
      createdAtMs: created_at_ms,
      jobCounts,
    },
  ];
}

function queueOf(rows: RunRowsAt, scenery: Scenery): MomentView['queue'] {
  const { run } = rows;
  if (run === undefined) return [];
  return rows
    .of('attempt')
    .filter(({ waiting }) => waiting)
    .map(({ run_id, job_key, attempt, pool, priority, queued_at_ms }) => ({
      runId: run_id,
      jobKey: job_key,
      attempt,
      pool,
      priority,
      waitingSinceMs: queued_at_ms,
      why: whyOf(rows, run, job_key, scenery),
    }));
}

const leasesOf = (rows: RunRowsAt): MomentView['leases'] =>
  rows
    .of('lease')
    .filter(({ live }) => live)
    .map(({ run_id, job_key, fence, runner_id, state, granted_at_ms }) => ({
      runId: run_id,
      jobKey: job_key,
      attempt: fence,
      runnerId: runner_id,
      state: state === 'active' ? 'active' : 'granted',
      grantedAtMs: granted_at_ms,
    }));

function poolsOf({ runners, busy, queued, decisions }: Scenery): MomentView['pools'] {
  const waitedIn = [...queued].filter(([, count]) => count > 0).map(([pool]) => pool);
  const pools = [...new Set([...runners.map(({ pool }) => pool), ...waitedIn])].sort();
  return pools.map((pool) => {
    const here = runners.filter((runner) => runner.pool === pool);
    const decision = decisions.get(pool);
    return {
      pool,
      queued: queued.get(pool) ?? 0,
      runners: here.length,
      busy: here.filter(({ runnerId }) => busy.has(runnerId)).length,
      decision:
        decision === undefined
          ? null
          : { desired: decision.desired, sentence: decision.sentence, decidedAtMs: decision.decidedAtMs },
    };
  });
}

function whyOf(rows: RunRowsAt, run: ProjectionRows['run'], jobKey: JobKey, scenery: Scenery): WhyItWaits {
  const jobs = rows.of('job');
  const attempts = rows.of('attempt');
  const job = jobs.find((one) => one.job_key === jobKey);
  const requirements = job?.requirements as JobRequirements | undefined;
  const pool = requirements?.pool ?? '';
  const needs = (job?.needs ?? []) as readonly JobKey[];
  return whyItWaits({
    runState: run.state as RunState,
    maxConcurrency: (run.policy as RunPolicy).maxConcurrency,
    unfinishedAttempts: attempts.filter(({ state }) => state !== 'finished').length,
    jobKey,
    job:
      job === undefined || requirements === undefined
        ? null
        : {
            state: job.state as JobState,
            needs: jobs
              .filter((one) => needs.includes(one.job_key))
              .map(({ job_key, state }) => ({ jobKey: job_key, state: state as JobState })),
            queued: attempts.some((attempt) => attempt.job_key === jobKey && attempt.waiting),
            requirements,
          },
    runners: scenery.runners.filter((runner) => runner.pool === pool).flatMap((runner) => offerOf(runner, scenery)),
    heldBack: scenery.decisions.get(pool)?.applied ?? [],
  });
}

/** What a runner offered; one whose words have no shape offers nothing. */
function offerOf({ runnerId, capabilities }: RunnerThen, { busy }: Scenery) {
  const parsed = RunnerCapabilities.safeParse(capabilities);
  return parsed.success ? [{ capabilities: parsed.data, busy: busy.has(runnerId) }] : [];
}

/** Undefined for what is no cursor. */
function readCursor(cursor: string): RunCursor | undefined {
  const [, createdAtMs, runId] = /^([0-9]{1,15})\.(run_[0-9a-f]{32})$/.exec(cursor) ?? [];
  return createdAtMs === undefined || runId === undefined ? undefined : { createdAtMs: Number(createdAtMs), runId };
}
