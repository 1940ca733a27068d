import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_RUN_POLICY } from '@delta-ci/contracts';
import { aReport } from '../../../../test/support/made-up/completion-report.ts';
import { aJobState } from '../../../../test/support/made-up/planned-job.ts';
import type { LogWriter } from '../append/log-writer.ts';
import { openLog } from '../connection.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import {
  createRun,
  leaseHashOf,
  recordPlan,
  runIdOf,
  runSubmission,
  runnerIdOf,
} from '../testing/run-story.fixture.ts';
import { whichLeasesExpired } from '../queries/which-leases-expired.ts';
import { LeaseRenewals } from './lease-renewals.ts';

describe('heartbeats', () => {
  let log: FreshLog;
  let writer: LogWriter;
  let renewals: LeaseRenewals;
  let name = '';
  let stories = 0;
  beforeAll(async () => {
    log = await freshLog();
    writer = log.writer();
    renewals = new LeaseRenewals(log.orchestrator);
  });
  afterAll(() => log.drop());

  const lease = (of = name) => ({ leaseHash: leaseHashOf(of), runnerId: runnerIdOf(of) });
  const tell = async (command: Parameters<typeof runSubmission>[2]) => {
    const id = `${name}.${command.type}`;
    expect(await writer.submit(runSubmission(id, runIdOf(name), command))).toMatchObject({ ok: true });
  };
  const letTimePass = (ms: number) =>
    log.admin.query(
      'UPDATE lease_renewal SET renewed_at_ms = renewed_at_ms - $2, expires_at_ms = expires_at_ms - $2 WHERE lease_hash = $1',
      [leaseHashOf(name), ms],
    );

  beforeEach(async () => {
    name = `story-${++stories}`;
    await tell(createRun(runIdOf(name)));
    await tell(recordPlan([aJobState('unit')]));
    await tell({ type: 'grant-lease', jobKey: 'unit', attempt: 1, ...lease() });
  });

  it('renew a lease that was acknowledged', async () => {
    await tell({ type: 'acknowledge-lease', ...lease() });
    await letTimePass(60_000);

    const [renewal] = await renewals.renew([lease()]);

    expect(renewal).toEqual({
      renewed: true,
      runId: runIdOf(name),
      jobKey: 'unit',
      attempt: 1,
      state: 'active',
      attemptState: 'starting',
      ttlMs: DEFAULT_RUN_POLICY.leaseTtlMs,
      cancelRequested: false,
      cancelDeadlineAtMs: null,
    });
    const { rows } = await log.admin.query(
      'SELECT expires_at_ms - renewed_at_ms AS ttl, now_ms() - renewed_at_ms < 30000 AS just_now FROM lease_renewal WHERE lease_hash = $1',
      [leaseHashOf(name)],
    );
    expect(rows).toEqual([{ ttl: DEFAULT_RUN_POLICY.leaseTtlMs, just_now: true }]);
  });

  it('do not renew what was not acknowledged, is over, or belongs to another runner', async () => {
    expect(await renewals.renew([lease()])).toMatchObject([{ renewed: false, state: 'granted' }]);
    await tell({ type: 'acknowledge-lease', ...lease() });
    const foreign = { leaseHash: leaseHashOf(name), runnerId: runnerIdOf('somebody else') };
    const unknown = { leaseHash: leaseHashOf('never granted'), runnerId: runnerIdOf(name) };
    expect(await renewals.renew([foreign, unknown, lease()])).toMatchObject([null, null, { renewed: true }]);
    await tell({ type: 'complete-attempt', ...lease(), report: aReport() });
    expect(await renewals.renew([lease()])).toMatchObject([{ renewed: false, state: 'completed' }]);
    const { rows } = await log.admin.query('SELECT * FROM lease_renewal WHERE lease_hash = $1', [leaseHashOf(name)]);
    expect(rows).toEqual([]);
  });

  it('tell the runner that a cancel was requested, and by when it must have stopped', async () => {
    await tell({ type: 'acknowledge-lease', ...lease() });
    await tell({ type: 'cancel-run', reason: 'never mind' });

    const [renewal] = await renewals.renew([lease()]);

    expect(renewal).toMatchObject({ renewed: true, cancelRequested: true, attemptState: 'canceling' });
    expect(renewal?.cancelDeadlineAtMs).toBeGreaterThan(0);
  });

  it('come too late when the time is up, whether or not somebody has noticed', async () => {
    await tell({ type: 'acknowledge-lease', ...lease() });
    expect((await whichLeasesExpired(log.orchestrator, 10)).map((one) => one.leaseHash)).not.toContain(
      lease().leaseHash,
    );
    await letTimePass(DEFAULT_RUN_POLICY.leaseTtlMs);

    expect(await renewals.renew([lease()])).toMatchObject([{ renewed: false, state: 'active' }]);

    const [expired] = await whichLeasesExpired(log.orchestrator, 10);
    expect(expired).toMatchObject({ runId: runIdOf(name), jobKey: 'unit', attempt: 1, fence: 1, ...lease() });
    await tell({
      type: 'expire-lease',
      jobKey: 'unit',
      attempt: 1,
      fence: 1,
      wasActive: expired?.wasActive ?? false,
      silentSinceMs: expired?.silentSinceMs ?? 0,
    });
    expect(await whichLeasesExpired(log.orchestrator, 10)).toEqual([]);
    expect(await renewals.renew([lease()])).toMatchObject([{ renewed: false, state: 'expired' }]);
  });

  it('from several orchestrators at once do not wait for each other in a circle', async () => {
    const names = [name];
    while (names.length < 20) {
      name = `crowd-${++stories}`;
      names.push(name);
      await tell(createRun(runIdOf(name)));
      await tell(recordPlan([aJobState('unit')]));
      await tell({ type: 'grant-lease', jobKey: 'unit', attempt: 1, ...lease() });
    }
    for (name of names) await tell({ type: 'acknowledge-lease', ...lease() });
    const beats = names.map((of) => lease(of));
    const rounds = Array.from({ length: 20 }, (_, round) => renewals.renew(round % 2 ? beats : [...beats].reverse()));

    for (const answers of await Promise.all(rounds)) {
      expect(answers.map((answer) => answer?.renewed)).toEqual(names.map(() => true));
    }
  });

  it('stay inside their page: no heartbeat touches an index', async () => {
    await tell({ type: 'acknowledge-lease', ...lease() });
    const single = await openLog({ databaseUrl: log.orchestratorUrl, applicationName: 'test', hotConnectionsMax: 1 });
    await single.pool.query('BEGIN');
    for (let beat = 0; beat < 3; beat += 1) await new LeaseRenewals(single).renew([lease()]);
    const { rows } = await single.pool.query(
      `SELECT n_tup_upd AS updates, n_tup_hot_upd AS hot FROM pg_stat_xact_user_tables WHERE relname = 'lease_renewal'`,
    );
    await single.close();

    expect(rows).toEqual([{ updates: 3, hot: 3 }]);
  });
});
