import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ReportClient, connectBus, consumeEvents, type Bus } from '@delta-ci/bus';
import type { CapacityPolicy } from '@delta-ci/contracts';
import { validateCapacityPolicy, type CapacityDecision } from '@delta-ci/domain';
import { findRunner, openLog, whatDoesThePoolNeed, type LogConnection, type PoolDemand } from '@delta-ci/event-log';
import { capacityMetrics, type Service } from '@delta-ci/service';
import type { ControllerConfig } from './config.ts';
import { ControllerModule } from './controller.module.ts';
import { ForsakenRunners } from './forsaken-runners.ts';
import { PoolController } from './pool-controller.ts';
import { ProcessProvisioner, RUNNER_GRACE_MS } from './process-provisioner.ts';
import type { RunnerEnd } from './provisioner.ts';

type Controller = Service<ControllerConfig>;

/** Of this process's own environment: where programs and temporary files are. */
export interface HostEnvironment {
  path: string;
  temporaryDir: string;
}

/** Opens the pool: database and bus first, runners last. */
export async function startController(service: Controller, host: HostEnvironment): Promise<void> {
  const { config, logger } = service;
  const policy = policyOf(config);
  const log = await service.open(
    'database',
    async () =>
      openLog({
        databaseUrl: config.databaseUrl.reveal(),
        applicationName: 'runner-controller',
        hotConnectionsMax: 2,
        readConnectionsMax: 1,
      }),
    async (opened) => opened.close(),
  );
  const bus = await service.open(
    'bus',
    async () => connectBus({ servers: [config.natsUrl.reveal()], name: 'runner-controller', log: logger }),
    async (opened) => opened.close(),
  );
  service.checkHealth('bus', () => {
    if (!bus.isConnected()) throw new Error('not connected');
  });
  const reports = new ReportClient(bus);
  /** Ends of runners that are being told: the last of them come while everything closes. */
  const telling = new Set<Promise<void>>();
  const metrics = service.metrics(capacityMetrics);
  const provisioner = openProvisioner(
    service,
    host,
    (end) => {
      if (end.runnerId === null) metrics.runnerStartFailures.add(1, { pool: config.pool });
      else {
        const told = tellExit(service, reports, end.runnerId, end, 'the process ended');
        telling.add(told);
        void told.finally(() => telling.delete(told));
      }
      controller.runnerEnded(end);
    },
    () => controller.look(),
  );
  const forsaken = new ForsakenRunners();
  const controller = new PoolController(
    policy,
    {
      demand: async () => demandOf(service, log, reports, { provisioner, forsaken }),
      provisioner,
      decided: async (decision, atMs) => {
        if (decision.action !== 'hold') metrics.scaleEvents.add(1, { pool: config.pool, direction: decision.action });
        await tellDecision(service, reports, decision, atMs);
      },
      onTrouble: (error) => logger.warn({ event: 'look-failed', err: error }),
    },
    config.decisionIntervalMs,
  );
  await service.open(
    'runners',
    () => provisioner,
    async (opened) => {
      await opened.close();
      await Promise.all(telling);
    },
  );
  await service.open(
    'pool',
    () => controller.look(),
    async () => controller.close(),
  );
  await wakeOnEvents(service, bus, controller);
  await service.serve(ControllerModule);
}

function policyOf(config: ControllerConfig): CapacityPolicy {
  const policy: CapacityPolicy = {
    pool: config.pool,
    min: config.runnersMin,
    max: config.runnersMax,
    warmIdle: config.runnersWarm,
    // A pool of processes starts in about a second: it may double at once, and again a second later.
    scaleUpStepMax: Math.max(2, config.runnersMax),
    scaleUpPercentMax: 200,
    scaleUpCooldownMs: 1_000,
    scaleDownStepMax: Math.max(1, Math.ceil(config.runnersMax / 4)),
    scaleDownWindowMs: config.scaleDownWindowMs,
    scaleDownCooldownMs: config.scaleDownWindowMs,
    quietBacklogMax: 0,
    quietErrorRateMax: 1,
    failedStartBackoffMs: 1_000,
    failedStartBackoffMaxMs: 60_000,
    pricePerRunnerMinute: config.runnerMinutePrice,
    costCap: config.costCap,
  };
  const problems = validateCapacityPolicy(policy);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('; '));
  return policy;
}

function openProvisioner(
  { config, logger }: Controller,
  host: HostEnvironment,
  onEnd: (end: RunnerEnd) => void,
  onChange: () => void,
): ProcessProvisioner {
  return new ProcessProvisioner({
    entry: config.runnerEntry,
    directory: join(config.dataDir, 'runners'),
    namePrefix: namePrefix(config),
    env: runnerEnvironment(config, host),
    onChange,
    onLine: (name, line) => logger.info({ event: 'runner-output', runner: name, line }),
    onEnd: (end) => {
      logger.info({ event: 'runner-ended', ...end });
      onEnd(end);
    },
  });
}

/** The runners of one data directory of one host have a prefix of their own. */
function namePrefix(config: ControllerConfig): string {
  const place = createHash('sha256').update(`${hostname()}:${config.dataDir}`).digest('hex').slice(0, 8);
  return `${config.pool}-${place}-`;
}

/** What a runner may know: where the gateway is, how to register, and what it may use of this host. */
function runnerEnvironment(config: ControllerConfig, host: HostEnvironment): Record<string, string> {
  return {
    PATH: host.path,
    TMPDIR: host.temporaryDir,
    DELTA_GATEWAY_URL: config.gatewayUrl,
    DELTA_REGISTRATION_TOKEN: config.registrationToken.reveal(),
    DELTA_POOL: config.pool,
    DELTA_SHARED_DIR: join(config.dataDir, 'shared'),
    DELTA_SHUTDOWN_GRACE_MS: String(RUNNER_GRACE_MS),
    DELTA_ISOLATION: config.isolation,
    DELTA_EGRESS: config.egress,
    DELTA_LOG_LEVEL: config.logLevel,
    DELTA_LOG_FORMAT: 'json',
    DELTA_TRACE_EXPORTER: config.traceExporter,
    DELTA_TRACE_ENDPOINT: config.traceEndpoint,
    DELTA_CLONE_PROTOCOLS: config.cloneProtocols.join(','),
    ...(config.toolchainDirs.length === 0 ? {} : { DELTA_TOOLCHAIN_DIRS: config.toolchainDirs.join(',') }),
    ...(config.labels === undefined ? {} : { DELTA_LABELS: config.labels.join(',') }),
    ...(config.sourceHosts === undefined ? {} : { DELTA_SOURCE_HOSTS: config.sourceHosts.join(',') }),
    ...(config.lfsCacheBytes === undefined ? {} : { DELTA_LFS_CACHE_BYTES: String(config.lfsCacheBytes) }),
    ...(config.packCacheBytes === undefined ? {} : { DELTA_PACK_CACHE_BYTES: String(config.packCacheBytes) }),
    ...(config.egressAllow === undefined ? {} : { DELTA_EGRESS_ALLOW: config.egressAllow.join(',') }),
    ...(config.egressRanges === undefined ? {} : { DELTA_EGRESS_RANGES: config.egressRanges.join(',') }),
    ...(config.egressUpstream === undefined ? {} : { DELTA_EGRESS_UPSTREAM: config.egressUpstream.reveal() }),
    ...(config.bwrap === undefined ? {} : { DELTA_BWRAP: config.bwrap }),
    ...(config.runsc === undefined ? {} : { DELTA_RUNSC: config.runsc }),
    ...(config.containerEngine === undefined ? {} : { DELTA_CONTAINER_ENGINE: config.containerEngine }),
    ...(config.containerImage === undefined ? {} : { DELTA_CONTAINER_IMAGE: config.containerImage }),
    ...(config.imagesFile === undefined ? {} : { DELTA_IMAGES_FILE: config.imagesFile }),
  };
}

/** Demand as the tables have it. Registered runners of ours that nobody provisions any more are written off on the way. */
async function demandOf(
  service: Controller,
  log: LogConnection,
  reports: ReportClient,
  { provisioner, forsaken }: { readonly provisioner: ProcessProvisioner; readonly forsaken: ForsakenRunners },
): Promise<PoolDemand> {
  const demand = await whatDoesThePoolNeed(log, service.config.pool);
  const mine = new Set(provisioner.runners().map(({ runnerId }) => runnerId));
  const idle = demand.idleRunners.filter((id) => !mine.has(id));
  for (const runnerId of forsaken.among(idle, demand.nowMs)) {
    const runner = await findRunner(log, runnerId);
    if (runner?.name.startsWith(namePrefix(service.config)) !== true) continue;
    await tellExit(service, reports, runnerId, { exitCode: null, signal: null }, 'nobody provisions it any more');
  }
  return demand;
}

async function tellDecision(
  { config, logger }: Controller,
  reports: ReportClient,
  decision: CapacityDecision,
  atMs: number,
): Promise<void> {
  logger.info({ event: 'scaling-decided', decision }, decision.sentence);
  const id = `scaling-${config.pool}-${config.instanceId.replace(/[^A-Za-z0-9._-]/g, '_')}-${atMs}`;
  const sent = await reports.send('runner-controller.scaling-decision', decision, {
    id,
    causation: id,
    traceparent: null,
  });
  if (!sent.sent) logger.warn({ event: 'decision-not-recorded', refusal: sent.refusal });
}

async function tellExit(
  { logger }: Pick<Controller, 'logger' | 'config'>,
  reports: ReportClient,
  runnerId: string,
  { exitCode, signal }: Pick<RunnerEnd, 'exitCode' | 'signal'>,
  reason: string,
): Promise<void> {
  const id = `exit-${runnerId}`;
  const sent = await reports.send(
    'runner-controller.runner-exit',
    { runnerId, exitCode, signal, reason },
    { id, causation: id, traceparent: null },
  );
  // Without the report the lease expires by itself: later, and just as surely.
  if (!sent.sent) logger.warn({ event: 'exit-not-recorded', runnerId, refusal: sent.refusal });
}

/** Events only wake the controller up: it looks at the tables and acts on the difference. */
async function wakeOnEvents(service: Controller, bus: Bus, controller: PoolController): Promise<void> {
  const wake = async (): Promise<void> => Promise.resolve(controller.look());
  const handlers = { 'attempt.queued': wake, 'attempt.finished': wake, 'runner.retired': wake };
  await service.open(
    'events',
    () => consumeEvents(bus, 'runner-controller', handlers, { log: service.logger, concurrency: 64 }),
    async (consumption) => consumption.close(),
  );
}
