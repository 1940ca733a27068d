import { setTimeout as pause } from 'node:timers/promises';
import { DEFAULT_RUN_POLICY, type DispatchMessage, type RunPolicy, type RunnerId } from '@delta-ci/contracts';
import { openArtifactStore } from '@delta-ci/artifact-store';
import {
  connectBus,
  consumeReports,
  dropParked,
  findParked,
  publishDispatch,
  pullDispatch,
  retryParked,
  serveAnswers,
  type AroundHandler,
  type Bus,
  type PulledDispatch,
} from '@delta-ci/bus';
import { validateTimings } from '@delta-ci/domain';
import {
  LeaseRenewals,
  LogReader,
  LogWriter,
  findLease,
  findRepository,
  howDoRunnersStand,
  LogBell,
  openLog,
  whichLeasesDoesTheRunnerHold,
  type Heartbeat,
  type LogConnection,
} from '@delta-ci/event-log';
import { crashWhenOrdered, orchestrationMetrics, withSpan, type Service } from '@delta-ci/service';
import { openSigningKey } from './checkpoints/open-signing-key.ts';
import { signWhenElected } from './checkpoints/sign-when-elected.ts';
import { commandHandlers } from './command-handlers.ts';
import type { OrchestratorConfig } from './config.ts';
import type { ReachedPoint } from './crash-points.ts';
import { grantOutcome, grantSubmission } from './decisions/grant-submission.ts';
import { Ledger } from './ledger.ts';
import { LeaseDirectory } from './leases/lease-directory.ts';
import { PoolDesk, type GrantOutcome, type WaitingRunner } from './leases/pool-desk.ts';
import { SharedTrips } from './leases/shared-trips.ts';
import { OrchestratorModule } from './orchestrator.module.ts';
import { provisionBus } from './provision-bus.ts';
import { relayWhenElected } from './relay-when-elected.ts';
import { reportHandlers } from './report-handlers.ts';
import { expireWhenElected } from './retention/expire-when-elected.ts';
import { Sweeper } from './sweeps/sweeper.ts';
import { sweeps } from './sweeps/sweeps.ts';

type Orchestrator = Service<OrchestratorConfig>;

/** Opens everything in the order in which it depends on each other, and serves health last. */
export async function startOrchestrator(service: Orchestrator): Promise<void> {
  const { config, logger } = service;
  refuseContradictoryTimings(config);
  if (config.crashAt !== undefined) logger.warn({ event: 'crash-ordered', order: config.crashAt }, 'it will die there');
  const reached: ReachedPoint = crashWhenOrdered(config.crashAt);
  const key = await openSigningKey(service);
  const log = await openDatabase(service);
  const bus = await openBus(service);
  const store = await openArtifactStore(config);
  await store.check();
  const writer = await openWriter(service, log, reached);
  const ledger = new Ledger(writer, (attempts) => {
    reached('before-dispatch');
    void dispatchAll(service, bus, attempts);
  });
  const leases = new LeaseDirectory(async (hash) => (await findLease(log, hash))?.runId ?? null);
  const desks = await openDesks(service, { bus, ledger, leases, reached });
  const sweeper = await openSweeper(service, { log, bus, ledger, desks });
  const bell = await openBell(service);
  await relayWhenElected(service, { log, bus, bell, reached });
  await signWhenElected(service, { log, bell, ledger, store, key });
  await expireWhenElected(service, { log, ledger, store });
  const renewals = new LeaseRenewals(log);
  const handlers = commandHandlers({
    ledger,
    leases,
    desks,
    heartbeats: new SharedTrips(async (beats: readonly Heartbeat[]) => renewals.renew(beats)),
    defaults: policyDefaults(config),
    storedPolicy: async (repository) => (await findRepository(log, repository))?.policy ?? {},
    runners: new SharedTrips(async (runnerIds: readonly RunnerId[]) => howDoRunnersStand(log, runnerIds)),
    parked: {
      find: async (sequence) => findParked(bus, sequence),
      settle: async (sequence, action) => (action === 'retry' ? retryParked : dropParked)(bus, sequence),
    },
    sweepSoon: () => sweeper.soon(),
  });
  const reports = reportHandlers({
    ledger,
    store,
    liveRunOfRunner: async (runnerId) => (await whichLeasesDoesTheRunnerHold(log, runnerId))[0]?.runId ?? null,
    onRefused: (report, { refusal }) =>
      logger.info({ event: 'report-refused', kind: report.kind, id: report.id, refusal }),
  });
  const consumption = consumeReports(bus, reports, { log: logger, around: spanUntil(() => reached('before-ack')) });
  const commands = serveAnswers(bus, handlers, { log: logger, around: spanUntil(() => reached('before-reply')) });
  service.beforeClosing('commands', async () => {
    await commands.stop();
    await consumption.close();
  });
  await service.serve(OrchestratorModule);
}

/** A span around every handler, with a last step once it is done. */
function spanUntil(done: () => void): AroundHandler {
  return async ({ name, traceparent }, run) => {
    const result = await withSpan(name, traceparent === null ? {} : { parent: traceparent }, run);
    done();
    return result;
  };
}

function refuseContradictoryTimings(config: OrchestratorConfig): void {
  const problems = validateTimings(config);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('; '));
}

async function openDatabase(service: Orchestrator): Promise<LogConnection> {
  const { databaseUrl, databaseConnections } = service.config;
  const options = {
    databaseUrl: databaseUrl.reveal(),
    applicationName: 'orchestrator',
    hotConnectionsMax: databaseConnections,
  };
  const log = await service.open(
    'database',
    async () => openLog(options),
    async (connection) => connection.close(),
  );
  service.checkHealth('database', async () => {
    await new LogReader(log).head();
  });
  return log;
}

async function openBus(service: Orchestrator): Promise<Bus> {
  const { config, logger } = service;
  const connect = async (): Promise<Bus> =>
    connectBus({ servers: [config.natsUrl.reveal()], name: 'orchestrator', log: logger });
  const bus = await service.open('bus', connect, async (connection) => connection.close());
  await provisionBus(service, bus);
  service.checkHealth('bus', () => {
    if (!bus.isConnected()) throw new Error('not connected');
  });
  return bus;
}

async function openWriter(service: Orchestrator, log: LogConnection, reached: ReachedPoint): Promise<LogWriter> {
  const { logger } = service;
  const metrics = service.metrics(orchestrationMetrics);
  return service.open(
    'writer',
    () =>
      new LogWriter({
        pool: log.pool,
        onFault: ({ submissionId, error }) => logger.error({ event: 'decision-failed', submissionId, err: error }),
        onStep: (step) => reached(step === 'loaded' ? 'before-decide' : 'before-commit'),
        onCommit: (batch) => {
          if (batch.events > 0) reached('after-commit');
          metrics.appendBatchSize.record(batch.events);
          metrics.databaseWriteDuration.record(batch.tookMs / 1_000);
        },
      }),
    async (writer) => writer.close(),
  );
}

async function dispatchAll({ logger }: Orchestrator, bus: Bus, attempts: readonly DispatchMessage[]): Promise<void> {
  try {
    const outcomes = await Promise.all(attempts.map(async (attempt) => publishDispatch(bus, attempt, 0)));
    const failed = outcomes.filter(({ outcome }) => outcome !== 'stored' && outcome !== 'duplicate');
    if (failed.length > 0) logger.warn({ event: 'dispatch-deferred', count: failed.length, why: failed[0]?.outcome });
  } catch (error) {
    // The attempts are in the log; the sweep for waiting attempts puts them before their pools later.
    logger.warn({ event: 'dispatch-deferred', count: attempts.length, err: error });
  }
}

interface DeskTools {
  bus: Bus;
  ledger: Ledger;
  leases: LeaseDirectory;
  reached: ReachedPoint;
}

async function openDesks(service: Orchestrator, tools: DeskTools): Promise<Map<string, PoolDesk>> {
  const { bus, ledger, leases, reached } = tools;
  const { config, logger } = service;
  const grant = async (runner: WaitingRunner, { dispatch }: PulledDispatch): Promise<GrantOutcome> => {
    reached('before-grant');
    const outcome = grantOutcome(await ledger.submit(grantSubmission(runner, dispatch)));
    if (outcome.kind === 'granted') {
      reached('after-grant');
      leases.remember(runner.leaseHash, dispatch.runId);
    }
    return outcome;
  };
  const desks = new Map<string, PoolDesk>();
  for (const pool of config.pools) {
    const ports = {
      pull: async (max: number, expiresMs: number) => {
        const pulled = await pullDispatch(bus, pool, { max, expiresMs, signal: service.stopping, log: logger });
        // The queue was lost with the bus's store: made again, it is filled again by the sweep for waiting attempts.
        if (pulled.end === 'missing') await provisionBus(service, bus);
        return pulled;
      },
      grant,
      pause: async (ms: number) => pause(ms),
      onTrouble: (error: unknown) => logger.warn({ event: 'dispatch-trouble', pool, err: error }),
    };
    desks.set(pool, new PoolDesk(pool, ports));
  }
  // Waiting runners are sent home before commands end: their requests are commands under way.
  service.beforeClosing('lease desks', async () => {
    await Promise.all([...desks.values()].map(async (desk) => desk.close()));
  });
  return desks;
}

async function openSweeper(
  service: Orchestrator,
  tools: { log: LogConnection; bus: Bus; ledger: Ledger; desks: ReadonlyMap<string, PoolDesk> },
): Promise<Sweeper> {
  const { config, logger } = service;
  const found = sweeps({ ...tools, redriveAfterMs: config.redriveAfterMs, nowMs: Date.now });
  const sweeper = new Sweeper(found, config.sweepIntervalMs, (sweep, error) =>
    logger.warn({ event: 'sweep-failed', sweep, err: error }),
  );
  await service.open(
    'sweeper',
    () => sweeper.start(),
    async () => sweeper.close(),
  );
  return sweeper;
}

/** Rings for the relay and for whoever signs checkpoints. */
async function openBell(service: Orchestrator): Promise<LogBell> {
  const connection = { databaseUrl: service.config.databaseUrl.reveal(), applicationName: 'orchestrator-bell' };
  return service.open(
    'log bell',
    () => new LogBell(connection),
    async (bell) => bell.close(),
  );
}

/** Defaults of this installation: the protocol's, with the operator's timings. */
function policyDefaults(config: OrchestratorConfig): RunPolicy {
  const {
    runTimeoutMs,
    planningTimeoutMs,
    queueTimeoutMs,
    leaseTtlMs,
    heartbeatMs,
    leaseAcceptanceMs,
    cancelDeadlineMs,
  } = config;
  return {
    ...DEFAULT_RUN_POLICY,
    runTimeoutMs,
    planningTimeoutMs,
    queueTimeoutMs,
    leaseTtlMs,
    heartbeatMs,
    leaseAcceptanceMs,
    cancelDeadlineMs,
  };
}
