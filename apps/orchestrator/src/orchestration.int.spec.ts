import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  DEFAULT_RUN_POLICY,
  operatorStream,
  type Command,
  type ParkedAction,
  type RunId,
  type RunnerId,
} from '@delta-ci/contracts';
import {
  connectBus,
  consumeReports,
  dropParked,
  findParked,
  listParked,
  publishDispatch,
  pullDispatch,
  retryParked,
  topology,
  type Bus,
} from '@delta-ci/bus';
import {
  LeaseRenewals,
  LogReader,
  LogWriter,
  findLease,
  howDoRunnersStand,
  migrate,
  openLog,
  provisionRoles,
  whichAttemptsWait,
  type Heartbeat,
  type LogConnection,
} from '@delta-ci/event-log';
import { eventually, freshDatabase, freshNats, type FreshNats } from '../../../test/support/infra/index.ts';
import { commandHandlers } from './command-handlers.ts';
import { grantOutcome, grantSubmission } from './decisions/grant-submission.ts';
import {
  CHANGE,
  DIGEST,
  FACTS,
  JOB,
  LEASE,
  NEW_RUN,
  REPOSITORY,
  RUN,
  RUNNER,
  command,
} from './decisions/made-up-commands.fixture.ts';
import { submissionToRun } from './decisions/run-submission.ts';
import { Ledger } from './ledger.ts';
import { LeaseDirectory } from './leases/lease-directory.ts';
import { PoolDesk } from './leases/pool-desk.ts';
import { SharedTrips } from './leases/shared-trips.ts';
import { sweeps } from './sweeps/sweeps.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const ENVELOPE = { actor: { kind: 'service', name: 'planner' }, traceparent: null } as const;

let database: Awaited<ReturnType<typeof freshDatabase>>;
let nats: FreshNats;
let log: LogConnection;
let bus: Bus;
let writer: LogWriter;
let desk: PoolDesk;
const over = new AbortController();

beforeAll(async () => {
  [database, nats] = await Promise.all([freshDatabase(), freshNats()]);
  await migrate({ adminUrl: database.adminUrl });
  const passwords = { orchestrator: 'not-a-secret-orchestrator', reader: 'not-a-secret-reader' };
  const { orchestratorUrl } = await provisionRoles({ adminUrl: database.adminUrl, passwords });
  log = await openLog({ databaseUrl: orchestratorUrl, applicationName: 'spec' });
  bus = await connectBus({ servers: [nats.url], name: 'spec', log: silent });
  await bus.provision(topology({ pools: ['default'], dispatchAckWaitMs: 150_000 }));
  writer = new LogWriter({ pool: log.pool });
});
afterAll(async () => {
  over.abort();
  await desk.close();
  await writer.close();
  await bus.close();
  await log.close();
  await nats.remove();
  await database.drop();
});

const standing = async (runnerIds: readonly RunnerId[]) => howDoRunnersStand(log, runnerIds);

function handlersOf(ledger: Ledger, runners = standing) {
  const renewals = new LeaseRenewals(log);
  return commandHandlers({
    ledger,
    leases: new LeaseDirectory(async (hash) => (await findLease(log, hash))?.runId ?? null),
    heartbeats: new SharedTrips(async (beats: readonly Heartbeat[]) => renewals.renew(beats)),
    desks: new Map([['default', desk]]),
    defaults: DEFAULT_RUN_POLICY,
    storedPolicy: async () => Promise.resolve({}),
    runners: new SharedTrips(runners),
    parked: {
      find: async (sequence) => findParked(bus, sequence),
      settle: async (sequence, action) => (action === 'retry' ? retryParked : dropParked)(bus, sequence),
    },
    sweepSoon: () => undefined,
  });
}

/** Asks for a run with one job, and plans it. */
async function planned(runId: RunId): Promise<void> {
  const wanted = command('request-run', { runId, repository: REPOSITORY, change: CHANGE });
  await handlersOf(new Ledger(writer, () => undefined))['request-run']({ ...wanted, id: `r-${runId}` });
  const plan = {
    type: 'record-plan' as const,
    planDigest: DIGEST,
    policy: FACTS.policy,
    jobs: [JOB],
    summary: '',
    inputsDigest: null,
  };
  const id = `p-${runId}`;
  await writer.submit(submissionToRun({ ...ENVELOPE, id, causation: id }, runId, plan, {}));
}

const ASK: Command<'grant-lease'> = {
  id: 'g-1',
  name: 'grant-lease',
  actor: { kind: 'runner', name: RUNNER },
  traceparent: null,
  data: { runnerId: RUNNER, leaseHash: LEASE, pool: 'default', waitMs: 30_000 },
};

/** Of the one job of `planned`. */
const DISPATCH = {
  runId: RUN,
  jobKey: 'unit',
  attempt: 1,
  pool: 'default',
  priority: 0,
  requirements: JOB.requirements,
  queuedAtMs: 0,
  traceparent: null,
};

describe('an attempt whose dispatch was lost, and a lease whose answer was', () => {
  it('given a waiting runner and no message, when swept, then it gets the job; asking again it finds the same lease', async () => {
    // Nothing is published when the attempt is queued: the process died between commit and publication.
    const ledger = new Ledger(writer, () => undefined);
    desk = new PoolDesk('default', {
      pull: async (max, expiresMs) =>
        pullDispatch(bus, 'default', { max, expiresMs, signal: over.signal, log: silent }),
      grant: async (runner, { dispatch }) => grantOutcome(await ledger.submit(grantSubmission(runner, dispatch))),
      pause: async () => Promise.resolve(),
      onTrouble: (error) => {
        throw error;
      },
    });
    const handlers = handlersOf(ledger);
    const capabilities = {
      os: 'linux' as const,
      arch: 'x64' as const,
      isolation: ['sandbox' as const],
      toolchains: [],
      labels: [],
    };
    await handlers['register-runner'](
      command('register-runner', { runnerId: RUNNER, name: 'spec', pool: 'default', capabilities, version: '1' }),
    );
    await planned(RUN);
    const answer = handlers['grant-lease'](ASK);
    const found = sweeps({ log, bus, ledger, desks: new Map([['default', desk]]), redriveAfterMs: 1, nowMs: Date.now });
    await eventually('the attempt counts as forgotten', async () => {
      await found.find(({ name }) => name === 'redrive-dispatch')?.run(100);
      return (await whichAttemptsWait(log, { limit: 1 })).length === 0;
    });
    const granted = await answer;
    expect(granted).toMatchObject({ ok: true, result: { lease: { runId: RUN, jobKey: 'unit', attempt: 1 } } });

    for (const id of ['g-1', 'g-2']) {
      const again = await handlers['grant-lease']({ ...ASK, id });
      expect(again).toMatchObject({ ok: true, result: { lease: { runId: RUN, jobKey: 'unit', attempt: 1 } } });
    }
    const other = await handlers['grant-lease']({
      ...ASK,
      id: 'g-3',
      data: { ...ASK.data, leaseHash: '9'.repeat(64) },
    });
    expect(other).toMatchObject({ ok: false, refusal: { code: 'invalid_transition' } });
  });

  it('given a request that meets its own repeat, when both are offered work, then one lease is the answer to both', async () => {
    await planned(NEW_RUN);
    const ledger = new Ledger(writer, () => undefined);
    await publishDispatch(bus, { ...DISPATCH, runId: NEW_RUN }, 0);
    // What was read before the first of the two was granted its lease.
    let stale = true;
    const handlers = handlersOf(ledger, async (runnerIds) => {
      const found = await standing(runnerIds);
      const seen = stale ? found.map((runner) => runner && { ...runner, held: null }) : found;
      stale = !stale;
      return seen;
    });
    const same = await handlers['grant-lease']({ ...ASK, id: 'g-4' });
    expect(same).toMatchObject({ ok: true, result: { lease: { runId: RUN, jobKey: 'unit', attempt: 1 } } });
    const other = await handlers['grant-lease']({
      ...ASK,
      id: 'g-5',
      data: { ...ASK.data, leaseHash: '9'.repeat(64) },
    });
    expect(other).toMatchObject({ ok: false, refusal: { code: 'invalid_transition' } });
    const left = await pullDispatch(bus, 'default', { max: 1, expiresMs: 5_000, signal: over.signal, log: silent });
    expect(left.messages.map(({ dispatch }) => dispatch.runId)).toEqual([NEW_RUN]);
    for (const message of left.messages) message.ack();
  });

  it('given an id that was used for another change, when it comes again, then it is a conflicting repeat', async () => {
    const handlers = handlersOf(new Ledger(writer, () => undefined));
    const wanted = command('request-run', { runId: RUN, repository: REPOSITORY, change: CHANGE });
    const same = { ...wanted, id: `r-${RUN}` };
    expect(await handlers['request-run'](same)).toMatchObject({ ok: true, result: { runId: RUN } });
    const other = { ...same, data: { ...same.data, change: { ...CHANGE, head: 'd'.repeat(40) } } };
    expect(await handlers['request-run'](other)).toMatchObject({ ok: false, refusal: { code: 'conflicting_repeat' } });
  });
});

describe('a parked report', () => {
  const operator = { kind: 'operator' as const, name: 'ada' };

  it('given a report nobody can read, when it is retried and then dropped, then each is recorded once and done', async () => {
    const { settle, actedOn, firstParked } = withParkedReports();
    await bus.store({ subject: 'delta.reports.planner.plan-proposed.x', headers: {}, body: Buffer.from('not JSON') });
    const parked = await firstParked();
    expect(await settle('again', parked, 'retry')).toMatchObject({ ok: true, result: { sequence: parked } });
    // It fails again, and is parked under a sequence of its own.
    const again = await firstParked();
    expect(again).toBeGreaterThan(parked);
    expect(await settle('away', again, 'drop')).toMatchObject({ ok: true });
    expect(await settle('away', again, 'drop')).toMatchObject({ ok: true });
    expect(await settle('gone', again, 'drop')).toMatchObject({ ok: false, refusal: { code: 'not_found' } });
    expect(await listParked(bus, 1, 10)).toMatchObject({ ok: true, messages: [] });
    expect(await actedOn()).toEqual(['parked.retry', 'parked.drop']);
  });

  it('given one who retries and one who drops it at once, then one is told that it is done, and the other is refused', async () => {
    const { settle, firstParked } = withParkedReports();
    await bus.store({ subject: 'delta.reports.planner.plan-proposed.y', headers: {}, body: Buffer.from('not JSON') });
    const parked = await firstParked();
    const answers = await Promise.all([settle('one', parked, 'retry'), settle('two', parked, 'drop')]);
    const codes = answers.map((answer) => (answer.ok ? 'done' : answer.refusal.code));
    expect(codes.toSorted()).toEqual(['conflicting_repeat', 'done']);
  });

  function withParkedReports() {
    const handlers = handlersOf(new Ledger(writer, () => undefined));
    const consumption = consumeReports(bus, {}, { log: silent });
    over.signal.addEventListener('abort', () => void consumption.close(0), { once: true });
    return {
      settle: async (id: string, sequence: number, action: ParkedAction) =>
        handlers['settle-parked']({
          id,
          name: 'settle-parked',
          actor: operator,
          traceparent: null,
          data: { sequence, action, reason: '' },
        }),
      firstParked: async () =>
        eventually('a message is parked', async () => {
          const page = await listParked(bus, 1, 1);
          return page.ok && page.messages[0]?.sequence;
        }),
      actedOn: async () =>
        (await new LogReader(log).readStream(operatorStream('parked'), 0, 10)).map(
          (event) => event.type === 'operator.acted' && event.data.action,
        ),
    };
  }
});
