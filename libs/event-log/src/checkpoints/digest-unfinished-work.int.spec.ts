import { hash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { simpleRun } from '../testing/run-story.fixture.ts';
import { digestUnfinishedWork } from './digest-unfinished-work.ts';

const sha256 = (text: string) => `sha256:${hash('sha256', text)}`;

describe('the digest of unfinished work', () => {
  let log: FreshLog;
  beforeEach(async () => {
    log = await freshLog();
  });
  afterEach(() => log.drop());

  /** Tells a run's story up to and with its `steps`-th command. */
  const tell = async (name: string, steps: number) => {
    const { runId, submissions } = simpleRun(name);
    const writer = log.writer();
    for (const submission of submissions.slice(0, steps)) await writer.submit(submission);
    return runId;
  };

  it('of a log in which nothing is under way is that of no line at all', async () => {
    await tell('over', 5);
    expect(await digestUnfinishedWork(log.reader.pool)).toEqual({ digest: sha256(''), rows: 0 });
  });

  it('is made of the lines that its page describes', async () => {
    const runId = await tell('leased', 3);
    const { rows } = await log.admin.query<{ granted_at_ms: string; expires_at_ms: string; deadline: string }>(
      'SELECT granted_at_ms, expires_at_ms, (SELECT queue_deadline_at_ms FROM attempt) AS deadline FROM lease',
    );
    const [times] = rows;
    const { plan_digest, lease_hash, runner_id } = (
      await log.admin.query<{ plan_digest: string; lease_hash: string; runner_id: string }>(
        'SELECT plan_digest, lease_hash, runner_id FROM run JOIN lease USING (run_id)',
      )
    ).rows[0] ?? { plan_digest: '', lease_hash: '', runner_id: '' };
    const lines = [
      `attempt ${runId} unit 1 leased - - ${runner_id} ${times?.deadline} -`,
      `job ${runId} unit active -`,
      `lease ${runId} unit 1 granted ${lease_hash} ${runner_id} ${times?.granted_at_ms} ${times?.expires_at_ms} -`,
      `run ${runId} running ${plan_digest}`,
    ];

    expect(await digestUnfinishedWork(log.reader.pool)).toEqual({ digest: sha256(lines.join('\n')), rows: 4 });
  });

  it('differs after every step of a run, and forgets it when it is over', async () => {
    const digests = [];
    const { submissions } = simpleRun('steps');
    await tell('other', 4);
    for (const submission of submissions) {
      await log.writer().submit(submission);
      digests.push((await digestUnfinishedWork(log.reader.pool)).digest);
    }
    expect(new Set(digests).size).toBe(submissions.length);
  });

  it('is the same of temporary tables with the same rows, however they were filled', async () => {
    for (const [index, name] of ['one', 'two', 'three'].entries()) await tell(name, index + 2);
    const live = await digestUnfinishedWork(log.reader.pool);
    const client = await log.orchestrator.pool.connect();
    try {
      for (const table of ['run', 'job', 'attempt', 'lease']) {
        await client.query(`CREATE TEMPORARY TABLE ${table} (LIKE public.${table} INCLUDING ALL)`);
        await client.query(`INSERT INTO pg_temp.${table} SELECT * FROM public.${table} ORDER BY run_id DESC`);
      }
      expect(await digestUnfinishedWork(client, 'pg_temp')).toEqual(live);
      await client.query(`UPDATE pg_temp.job SET state = 'blocked'`);
      expect(await digestUnfinishedWork(client, 'pg_temp')).not.toEqual(live);
    } finally {
      client.release(true);
    }
  });
});
