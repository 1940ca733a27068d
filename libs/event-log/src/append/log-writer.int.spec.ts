import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshLog, type FreshLog } from '../fixtures/fresh-log.fixture.ts';
import { simpleRun } from '../fixtures/run-story.fixture.ts';

describe('the writer', () => {
  let log: FreshLog;
  beforeAll(async () => {
    log = await freshLog();
  });
  afterAll(() => log.drop());

  it('takes a run from its creation to its end', async () => {
    const writer = log.writer();
    const { submissions } = simpleRun('one');
    for (const submission of submissions) {
      expect(await writer.submit(submission)).toMatchObject({ ok: true });
    }
    const { rows } = await log.admin.query('SELECT position, type FROM event ORDER BY position');
    console.log(rows);
    console.log(
      (await log.admin.query('SELECT * FROM run')).rows,
      (await log.admin.query('SELECT * FROM attempt')).rows,
      (await log.admin.query('SELECT * FROM lease')).rows,
      (await log.admin.query('SELECT * FROM run_deadline')).rows,
      (await log.admin.query('SELECT * FROM lease_renewal')).rows,
    );
  });
});
