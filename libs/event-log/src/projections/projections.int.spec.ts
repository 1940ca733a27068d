import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RunId } from '@delta-ci/contracts';
import { attemptsOf, evolveRun, initialRun, jobOf, type RunAggregate } from '@delta-ci/domain';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { randomCommands, type RandomCommand } from '../testing/random-commands.fixture.ts';
import { runIdOf, runSubmission } from '../testing/run-story.fixture.ts';
import { LogReader } from '../read/log-reader.ts';
import { rebuildProjections } from '../rebuild/rebuild-projections.ts';
import type { ProjectionRows } from './rows.ts';

/** How many random stories are told: each is some hundred commands on a real server. */
const STORIES = 15;

describe('the projections', () => {
  let log: FreshLog;
  beforeAll(async () => {
    log = await freshLog();
  });
  afterAll(() => log.drop());

  async function tell(commands: readonly RandomCommand[], story: string, batchMax: number): Promise<void> {
    const faults: unknown[] = [];
    const writer = log.writer({ batchMax, onFault: (fault) => faults.push(fault) });
    const submissions = commands.map(({ runId, command }, index) => runSubmission(`${story}-${index}`, runId, command));
    const answers = await Promise.all(submissions.map((submission) => writer.submit(submission)));
    expect(faults).toEqual([]);
    expect(answers.filter((answer) => !answer.ok && answer.refusal.code === 'internal')).toEqual([]);
  }

  async function foldOf(runId: RunId): Promise<RunAggregate> {
    const events = await new LogReader(log.reader).readStream(`run-${runId}`, 0, 10_000);
    return events.reduce<RunAggregate>(evolveRun, initialRun);
  }

  const rowsOf = async <N extends 'run' | 'job' | 'attempt' | 'lease'>(table: N, runId: RunId) =>
    (await log.reader.pool.query<ProjectionRows[N]>(`SELECT * FROM ${table} WHERE run_id = $1`, [runId])).rows;

  async function expectRowsToAgreeWith(run: RunAggregate, runId: RunId): Promise<void> {
    if (run.state === 'absent') throw new Error('every story creates its runs');
    const [row] = await rowsOf('run', runId);
    const outcome = run.state === 'finished' ? run.outcome : null;
    expect(row).toMatchObject({ state: run.state, live: run.state !== 'finished', outcome, policy: run.facts.policy });
    expect(row?.superseded_by).toBe(run.facts.supersededBy);
    const jobs = await rowsOf('job', runId);
    const attempts = await rowsOf('attempt', runId);
    const leases = await rowsOf('lease', runId);
    let counted = 0;
    for (const job of jobs) {
      const progress = jobOf(run, job.job_key)?.progress;
      if (progress === undefined) throw new Error(`the run has no job ${job.job_key}`);
      expect(job).toMatchObject({
        state: progress.state,
        outcome: progress.state === 'finished' ? progress.outcome : null,
      });
      for (const attempt of attemptsOf(progress)) {
        counted += 1;
        const found = attempts.find((one) => one.job_key === job.job_key && one.attempt === attempt.number);
        expect(found).toMatchObject({ state: attempt.state, waiting: attempt.state === 'queued' });
        if (attempt.state === 'queued') continue;
        const lease = leases.find((one) => one.job_key === job.job_key && one.fence === attempt.number);
        expect(lease?.state ?? null).toBe(attempt.lease?.state ?? null);
        expect(lease?.live ?? false).toBe(['granted', 'active'].includes(attempt.lease?.state ?? ''));
      }
    }
    expect(attempts).toHaveLength(counted);
  }

  it('say what the folded runs say, after any commands, in batches of any size', async () => {
    let story = 0;
    await fc.assert(
      fc.asyncProperty(fc.gen(), fc.constantFrom(1, 5, 200), async (gen, batchMax) => {
        const runs = ['a', 'b', 'c'].map((name) => `${name}-${++story}`);
        await tell(gen(randomCommands, runs), `story-${story}`, batchMax);
        for (const runId of runs.map(runIdOf)) await expectRowsToAgreeWith(await foldOf(runId), runId);
      }),
      { numRuns: STORIES, endOnFailure: true },
    );
  });

  it('come out the same when folded again from the beginning', async () => {
    const rebuilt = await rebuildProjections({ databaseUrl: log.readerUrl });

    expect(rebuilt.tables.filter((table) => !table.equal)).toEqual([]);
    const rows = Object.fromEntries(rebuilt.tables.map((table) => [table.table, table.rows.live]));
    for (const table of ['run', 'job', 'attempt', 'lease', 'artifact', 'explanation', 'publication']) {
      expect(rows[table]).toBeGreaterThan(0);
    }
  });

  it('keep a row for each live lease and each run with a deadline, and no other', async () => {
    const leases = await log.admin.query(
      `SELECT lease_hash FROM lease_renewal r FULL JOIN (SELECT * FROM lease WHERE live) l USING (lease_hash)
       WHERE r.runner_id IS NULL OR l.runner_id IS NULL OR r.active <> (l.state = 'active')`,
    );
    const deadlines = await log.admin.query(
      'SELECT run_id FROM run_deadline JOIN run USING (run_id) WHERE NOT run.live',
    );
    expect([leases.rows, deadlines.rows]).toEqual([[], []]);
  });

  it('tell rows that are not as the log says', async () => {
    const { rows } = await log.admin.query<{ key: string }>(
      `UPDATE attempt SET reason = 'tampered' WHERE ctid = (SELECT min(ctid) FROM attempt)
       RETURNING concat_ws(' ', run_id, job_key, attempt) AS key`,
    );

    const { equal, tables } = await rebuildProjections({ databaseUrl: log.readerUrl });
    expect(equal).toBe(false);
    expect(tables.filter((table) => !table.equal)).toMatchObject([
      { table: 'attempt', differing: rows.map((row) => row.key) },
    ]);
  });
});
