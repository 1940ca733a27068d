import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../test/support/infra/index.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { createRun, runIdOf, runSubmission } from '../testing/run-story.fixture.ts';
import { LogBell } from './log-bell.ts';
import { LogReader } from './log-reader.ts';

describe('the bell', () => {
  let log: FreshLog;
  let bell: LogBell;
  beforeEach(async () => {
    log = await freshLog();
    bell = new LogBell({ databaseUrl: log.readerUrl, applicationName: 'bell' });
  });
  afterEach(async () => {
    await bell.close();
    await log.drop();
  });

  const never = new AbortController().signal;
  const grow = (name: string) => log.writer().submit(runSubmission(name, runIdOf(name), createRun(runIdOf(name))));
  const listens = () =>
    eventually('the bell listens', async () => {
      const { rowCount } = await log.admin.query(
        `SELECT 1 FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'bell' AND query LIKE 'SELECT position%'`,
      );
      return rowCount === 1;
    });

  it('rings for everybody who waits, and at once for what is there already', async () => {
    await listens();
    const waiting = Promise.all([bell.waitPast(0, never), bell.waitPast(1, never)]);
    await grow('ringing');

    expect(await waiting).toEqual([true, true]);
    expect(await bell.waitPast(1, never)).toBe(true);
    expect(bell.position).toBe(2);
    expect(await new LogReader(log.reader).read({ afterPosition: 0, limit: 10 })).toHaveLength(2);
  });

  it('lets those go who no longer want to wait, and everybody when it closes', async () => {
    const patience = new AbortController();
    const impatient = bell.waitPast(0, patience.signal);
    const patient = bell.waitPast(0, never);
    patience.abort();

    expect(await impatient).toBe(false);
    expect(await bell.waitPast(0, patience.signal)).toBe(false);
    await bell.close();
    expect(await patient).toBe(false);
    expect(await bell.waitPast(0, never)).toBe(false);
  });

  it('hears of what was appended while its connection was broken', async () => {
    await listens();
    const waiting = bell.waitPast(1, never);
    await log.admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'bell'`);
    await grow('unheard');

    expect(await waiting).toBe(true);
  });
});
