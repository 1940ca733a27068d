import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../test/support/infra/index.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { leadWhile } from './lead-while.ts';

describe('an office', () => {
  let log: FreshLog;
  beforeEach(async () => {
    log = await freshLog();
  });
  afterEach(() => log.drop());

  const leading = new Set<string>();
  let atOnceMax = 0;
  const stand = (applicationName: string, office: string) => {
    const stop = new AbortController();
    const lead = async (signal: AbortSignal) => {
      leading.add(applicationName);
      atOnceMax = Math.max(atOnceMax, leading.size);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      leading.delete(applicationName);
    };
    const over = leadWhile({ databaseUrl: log.orchestratorUrl, applicationName, office, signal: stop.signal, lead });
    return { leave: () => (stop.abort(), over) };
  };
  const leader = (name: string) => eventually(`${name} leads`, () => leading.has(name));

  it('is held by one at a time and passes on when the holder leaves', async () => {
    const first = stand('first', 'relay');
    await leader('first');
    const second = stand('second', 'relay');
    await eventually('the second stands', async () => {
      const { rowCount } = await log.admin.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'second' AND query LIKE '%pg_try_advisory_lock%'`,
      );
      return rowCount === 1;
    });
    await first.leave();
    await leader('second');
    await second.leave();

    expect(atOnceMax).toBe(1);
    expect(leading.size).toBe(0);
  });

  it('is lost with the connection and taken again', async () => {
    const only = stand('only', 'sweeper');
    await leader('only');
    const held = await log.admin.query<{ pid: number }>(
      `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'only'`,
    );
    await eventually('another session leads', async () => {
      const { rows } = await log.admin.query<{ pid: number }>(
        `SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database() AND a.application_name = 'only'`,
      );
      return leading.has('only') && rows.length === 1 && rows[0]?.pid !== held.rows[0]?.pid;
    });
    await only.leave();
  });

  it('is given up by whoever fails in it, and the failure is told', async () => {
    const { orchestratorUrl: databaseUrl } = log;
    const lead = () => Promise.reject(new Error('the work failed'));
    const stop = new AbortController();
    const failing = leadWhile({ databaseUrl, applicationName: 'failing', office: 'relay', signal: stop.signal, lead });
    await expect(failing).rejects.toThrow('the work failed');
    const next = stand('next', 'relay');
    await leader('next');
    await next.leave();
  });

  it('of one name has nothing to do with an office of another', async () => {
    const both = [stand('relaying', 'relay'), stand('sweeping', 'sweeper')];
    await leader('relaying');
    await leader('sweeping');
    await Promise.all(both.map((one) => one.leave()));
  });
});
