import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runStream, type RunId } from '@delta-ci/contracts';
import { aReport } from '../../../../test/support/made-up/completion-report.ts';
import { aJobState } from '../../../../test/support/made-up/planned-job.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import {
  createRun,
  leaseHashOf,
  recordPlan,
  runIdOf,
  runSubmission,
  runnerIdOf,
  simpleRun,
} from '../testing/run-story.fixture.ts';
import { verifyChain } from '../read/verify-chain.ts';
import { rebuildProjections } from '../rebuild/rebuild-projections.ts';
import type { LogWriter } from './log-writer.ts';

describe('two writers on one log', () => {
  let log: FreshLog;
  let writers: readonly [LogWriter, LogWriter];
  beforeEach(async () => {
    log = await freshLog();
    // Small caches and batches: both must often load what the other wrote.
    writers = [log.writer({ batchMax: 7, cachedEventsMax: 40 }), log.writer({ batchMax: 5 })];
  });
  afterEach(() => log.drop());

  async function expectSoundLog(): Promise<void> {
    expect(await verifyChain(log.reader)).toMatchObject({ ok: true });
    const { rows } = await log.admin.query(
      `SELECT stream FROM event GROUP BY stream
       HAVING count(*) <> max(version) OR max(version) <> (SELECT version FROM stream WHERE id = event.stream)`,
    );
    expect(rows).toEqual([]);
    expect(await rebuildProjections({ databaseUrl: log.readerUrl })).toMatchObject({ equal: true });
  }

  it('decide about the same runs without losing or doubling anything', async () => {
    const jobs = Array.from({ length: 8 }, (_, index) => `job-${index}`);
    const runs = ['a', 'b', 'c', 'd'].map(runIdOf);
    for (const runId of runs) {
      await writers[0].submit(runSubmission(`create-${runId}`, runId, createRun(runId)));
      await writers[1].submit(runSubmission(`plan-${runId}`, runId, recordPlan(jobs.map((key) => aJobState(key)))));
    }
    const carryOut = async (runId: RunId, jobKey: string, turn: number) => {
      const name = `${runId}.${jobKey}`;
      const lease = { leaseHash: leaseHashOf(name), runnerId: runnerIdOf(name) };
      const commands = [
        { type: 'grant-lease', jobKey, attempt: 1, ...lease },
        { type: 'acknowledge-lease', ...lease },
        { type: 'complete-attempt', ...lease, report: aReport() },
      ] as const;
      for (const [step, command] of commands.entries()) {
        const writer = writers[(turn + step) % 2] ?? writers[0];
        expect(await writer.submit(runSubmission(`${name}.${command.type}`, runId, command))).toMatchObject({
          ok: true,
        });
      }
    };

    await Promise.all(runs.flatMap((runId) => jobs.map((jobKey, turn) => carryOut(runId, jobKey, turn))));

    const { rows } = await log.admin.query('SELECT outcome, count(*)::int FROM run GROUP BY outcome');
    expect(rows).toEqual([{ outcome: 'succeeded', count: 4 }]);
    await expectSoundLog();
  });

  it('apply the same submission once when both get it at the same time', async () => {
    const stories = Array.from({ length: 20 }, (_, index) => simpleRun(`both-${index}`));

    for (const step of [0, 1, 2, 3, 4]) {
      const pairs = stories.map(({ submissions }) => {
        const submission = submissions[step]!;
        return Promise.all(writers.map((writer) => writer.submit(submission)));
      });
      for (const [first, second] of await Promise.all(pairs)) expect(first).toEqual(second);
    }

    const { rows } = await log.admin.query('SELECT count(*)::int AS events FROM event');
    expect(rows).toEqual([{ events: 20 * 11 }]);
    await expectSoundLog();
  });

  it('let one win when both create the same run differently', async () => {
    const runId = runIdOf('contested');
    const answers = await Promise.all(
      writers.map((writer, index) => writer.submit(runSubmission(`create-${index}`, runId, createRun(runId)))),
    );

    expect(answers.filter((answer) => answer.ok)).toHaveLength(1);
    const { rows } = await log.admin.query('SELECT version FROM stream WHERE id = $1', [runStream(runId)]);
    expect(rows).toEqual([{ version: 2 }]);
    await expectSoundLog();
  });
});
