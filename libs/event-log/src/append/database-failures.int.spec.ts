import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../test/support/infra/index.ts';
import { Hop } from '../../../../test/support/network/hop.ts';
import { openLog } from '../connection.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { createRun, runIdOf, runSubmission, simpleRun } from '../testing/run-story.fixture.ts';
import { showRun } from '../queries/show-run.ts';
import { verifyChain } from '../read/verify-chain.ts';
import { rebuildProjections } from '../rebuild/rebuild-projections.ts';
import { LogWriter } from './log-writer.ts';

describe('when the database fails', () => {
  let log: FreshLog;
  beforeEach(async () => {
    log = await freshLog();
  });
  afterEach(() => log.drop());

  const endSessions = (condition: string) =>
    log.admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'orchestrator' AND (${condition})`,
    );
  const eventCount = async () =>
    (await log.admin.query<{ n: number }>('SELECT count(*)::int AS n FROM event')).rows[0]?.n;

  it('before the commit, the batch is done again', async () => {
    const blocker = await log.admin.connect();
    await blocker.query('BEGIN; SELECT * FROM log_head FOR UPDATE');
    const answer = log.writer().submit(runSubmission('before', runIdOf('before'), createRun(runIdOf('before'))));
    await eventually('the writer waits for the head', async () => {
      const { rowCount } = await endSessions(`wait_event_type = 'Lock'`);
      return rowCount === 1;
    });
    await blocker.query('ROLLBACK');
    blocker.release();

    expect(await answer).toEqual({ ok: true, result: {}, position: 2 });
    expect(await eventCount()).toBe(2);
  });

  it('after the commit and before its answer, the answer is found in the inbox', async () => {
    const hop = await Hop.open();
    const connection = await openLog({
      databaseUrl: hop.through(log.orchestratorUrl),
      applicationName: 'orchestrator',
    });
    const writer = new LogWriter({ pool: connection.pool });
    const { submissions } = simpleRun('commit-unknown');
    try {
      for (const submission of submissions) {
        hop.loseCommitAnswers(1);
        expect(await writer.submit(submission)).toMatchObject({ ok: true });
      }
      expect(hop.lostAnswers).toBe(submissions.length);
      expect(await eventCount()).toBe(11);
    } finally {
      await writer.close();
      await connection.close();
      await hop.close();
    }
  });

  it('again and again under load, everything happens exactly once', async () => {
    const writers = [log.writer({ batchMax: 10 }), log.writer({ batchMax: 10 })] as const;
    const stories = Array.from({ length: 60 }, (_, index) => simpleRun(`stormy-${index}`));
    let done = 0;
    const tellAll = stories.map(async ({ submissions }, index) => {
      for (const submission of submissions) {
        expect(await (writers[index % 2] ?? writers[0]).submit(submission)).toMatchObject({ ok: true });
      }
      done += 1;
    });
    let ended = 0;
    const storm = eventually('the stories are told', async () => {
      if (ended < 15) ended += (await endSessions(`state = 'active' OR state LIKE 'idle in%'`)).rowCount ?? 0;
      return done === stories.length;
    });
    await Promise.all([storm, ...tellAll]);

    expect(ended).toBeGreaterThan(0);
    expect(await eventCount()).toBe(60 * 11);
    expect(await verifyChain(log.reader)).toMatchObject({ ok: true, position: 60 * 11 });
    expect(await rebuildProjections({ databaseUrl: log.readerUrl })).toMatchObject({ equal: true });
  });

  it('under readers, they read on over new connections', async () => {
    const { runId, submissions } = simpleRun('read-on');
    for (const submission of submissions) await log.writer().submit(submission);
    for (let round = 0; round < 3; round += 1) {
      await log.admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'reader'`,
      );
      const view = await eventually('the run can be read', () => showRun(log.reader, runId));
      expect(view).toMatchObject({ state: 'finished' });
    }
  });

  it('for longer than a writer is patient, submissions are refused and may be repeated', async () => {
    const blocker = await log.admin.connect();
    await blocker.query('BEGIN; SELECT * FROM log_head FOR UPDATE');
    const writer = log.writer({ patienceMs: 0 });
    const submission = runSubmission('impatient', runIdOf('impatient'), createRun(runIdOf('impatient')));
    const refused = writer.submit(submission);
    await eventually('the writer waits for the head', async () => {
      return (await endSessions(`wait_event_type = 'Lock'`)).rowCount === 1;
    });
    expect(await refused).toMatchObject({ ok: false, refusal: { code: 'unavailable' } });
    await blocker.query('ROLLBACK');
    blocker.release();

    expect(await writer.submit(submission)).toMatchObject({ ok: true, position: 2 });
  });
});
