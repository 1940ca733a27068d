import { mkdir } from 'node:fs/promises';
import { arch, hostname, platform } from 'node:os';
import { delimiter, join } from 'node:path';
import type { IsolationTier, LeaseOffer, RegisterRunnerAnswer, RunnerCapabilities } from '@delta-ci/contracts';
import { resolveName, upstreamAt } from '@delta-ci/egress';
import { Git, isPublicAddress, LfsCache, PackCache, type Protocol } from '@delta-ci/git';
import {
  BubblewrapExecutor,
  ContainerExecutor,
  GvisorExecutor,
  ProcessExecutor,
  readImagesFile,
  reapLeftovers,
  standBy,
  type ImageOffer,
  type SandboxExecutor,
} from '@delta-ci/sandbox';
import {
  SECRET_CHARACTERS_MIN,
  Secret,
  continueTrace,
  retryWithBackoff,
  withIds,
  withSpan,
  type Logger,
  type Service,
} from '@delta-ci/service';
import { carryOutAttempt } from './attempt.ts';
import type { RunnerConfig } from './config.ts';
import { endsInTime } from './ends-in-time.ts';
import type { SourceTerms } from './fetch-source.ts';
import { GatewayClient, leastWaitMs, Refused } from './gateway-client.ts';
import type { EgressTerms } from './job-network.ts';
import { jobDirectoryIn } from './job-directory.ts';
import { Leavings } from './leavings.ts';
import { rehearse } from './rehearsal.ts';
import { RunnerToken } from './runner-token.ts';
import { leaveWorkDirectory, ownWorkDirectory, removeForsaken } from './work-directories.ts';

const VERSION = '0.1.0';
const POLL_SECONDS = 25;
const BACKOFF = { initialMs: 200, capMs: 5_000 };

/** The channel to whoever provisioned this runner, as a child process has it. */
export type Parent = Pick<NodeJS.Process, 'connected' | 'on' | 'once' | 'send'>;

/** Registers, and then works on one lease beside the service's life: whoever waits for `ready` sees a registered runner. */
export async function startRunner(
  service: Service<RunnerConfig>,
  environment: NodeJS.ProcessEnv,
  parent: Parent,
): Promise<void> {
  const { config, logger } = service;
  const retirement = whenRetired(parent);
  for (const directory of [config.dataDir, sharedDir(config)]) await mkdir(directory, { recursive: true, mode: 0o711 });
  const workDir = await ownWorkDirectory(config.dataDir);
  await endsInTime(removeLeftovers(service, workDir), config.dataDir, logger);
  const executor = await usableExecutor(config, logger, environment);
  const client = new GatewayClient(config.gatewayUrl);
  const registered = await register(service, client, retirement);
  service.hide(new Secret(registered.token));
  const token = new RunnerToken(registered, {
    renew: async (old) => client.renewToken(old),
    onRenewed: (renewed) => service.hide(new Secret(renewed)),
    dateMs: Date.now,
    elapsedMs: () => performance.now(),
  });
  logger.info({ event: 'registered', runnerId: registered.runnerId, isolation: config.isolation });
  if (parent.connected) parent.send?.({ registered: registered.runnerId });
  const work = workAndTidy(service, { client, token, executor, retirement, workDir, environment });
  service.beforeClosing('job', async () => work);
  void work
    .catch((error: unknown) => logger.error({ event: 'runner-failed', err: error }))
    .finally(() => service.stop('the one job is done'));
}

/** Removes what earlier runners left in this place. Where something of a job is alive or mounted still, nothing is deleted below it. */
async function removeLeftovers({ config, logger }: Service<RunnerConfig>, workDir: string): Promise<void> {
  const { reaped, leftovers } = await reapLeftovers(stateDir(config));
  logger.info({ event: 'leftovers-reaped', reaped });
  await removeForsaken(config.dataDir, workDir, leftovers, logger);
}

/** Whether whoever provisioned this runner wants it gone. */
interface Retirement {
  readonly retired: boolean;
}

interface Equipment {
  client: GatewayClient;
  token: RunnerToken;
  executor: SandboxExecutor;
  retirement: Retirement;
  workDir: string;
  environment: NodeJS.ProcessEnv;
}

async function workAndTidy(service: Service<RunnerConfig>, equipment: Equipment): Promise<void> {
  const { executor, workDir } = equipment;
  const leavings = new Leavings(jobDirectoryIn(workDir), service.logger);
  try {
    await workOnce(service, equipment, leavings);
  } finally {
    leavings.take(async () => (await executor.standDown?.()) ?? []);
    await leavings.remove();
    await leaveWorkDirectory(workDir);
  }
}

async function workOnce(service: Service<RunnerConfig>, equipment: Equipment, leavings: Leavings): Promise<void> {
  const { client, token, executor, retirement, workDir } = equipment;
  const standing = makeReady(service, executor, leavings);
  const atWork = new AbortController();
  const rehearsed = standing.then(async () => goThrough(service, workDir, atWork.signal));
  try {
    const lease = await waitForLease(service, client, token, retirement);
    atWork.abort();
    await standing;
    if (lease === null) service.logger.info({ event: 'no-work' }, 'nothing to do: this runner ends');
    else await workUnder(lease, service, equipment, leavings);
  } finally {
    atWork.abort();
    await rehearsed;
  }
}

async function workUnder(
  lease: LeaseOffer,
  service: Service<RunnerConfig>,
  { client, token, executor, environment }: Equipment,
  leavings: Leavings,
): Promise<void> {
  const { config, logger } = service;
  for (const value of [lease.leaseId, lease.source.token]) if (value !== null) service.hide(new Secret(value));
  // Whoever names a secret in delta.yaml wants it hidden, however ordinary a word it is.
  for (const value of Object.values(lease.secrets))
    service.hide(new Secret(value, { searchableFrom: SECRET_CHARACTERS_MIN }));
  const ids = { run: lease.runId, job: lease.jobKey, attempt: lease.attempt, leaseId: lease.leaseId };
  const tools = {
    executor,
    git: new Git({ environment }),
    client,
    token,
    logger: withIds(logger, ids),
    leavings,
    sources: sourceTermsOf(config),
    toolchainDirs: config.toolchainDirs,
    egress: egressTerms(config),
    nowMs: Date.now,
    stopping: service.stopping,
  };
  await continueTrace(lease.traceparent ?? undefined, async () =>
    withSpan('attempt', { attributes: { 'cicd.pipeline.task.name': lease.jobKey } }, async () =>
      carryOutAttempt(lease, tools),
    ),
  );
}

function egressTerms({ egress, egressAllow, egressRanges, egressUpstream }: RunnerConfig): EgressTerms {
  const upstream = egressUpstream === undefined ? null : upstreamAt(new URL(egressUpstream.reveal()));
  return { mode: egress, allow: egressAllow, ranges: egressRanges, upstream, resolve: resolveName };
}

/** While nothing is to be done, the sandbox for what comes is made; whatever it fails at, the job meets again and tells. */
async function makeReady({ config, logger }: Service<RunnerConfig>, executor: SandboxExecutor, leavings: Leavings) {
  try {
    await leavings.makeDirectory();
    await standBy(executor, { ...leavings.jobDir, toolchainDirs: config.toolchainDirs });
  } catch (error) {
    logger.warn({ event: 'no-sandbox-ready', err: error });
  }
}

/** A runner that could not rehearse does everything for the first time when there is work; nothing else is lost. */
async function goThrough({ logger }: Service<RunnerConfig>, workDir: string, over: AbortSignal): Promise<void> {
  if (over.aborted) return;
  try {
    await rehearse(workDir, logger, over);
  } catch (error) {
    if (!over.aborted) logger.warn({ event: 'not-rehearsed', err: error });
  }
}

async function waitForLease(
  service: Service<RunnerConfig>,
  client: GatewayClient,
  token: RunnerToken,
  retirement: Retirement,
): Promise<LeaseOffer | null> {
  const { config, stopping, logger } = service;
  const idleSince = performance.now();
  while (!stopping.aborted && !retirement.retired && performance.now() - idleSince < config.idleTimeoutMs) {
    const seconds = Math.min(POLL_SECONDS, Math.max(1, config.idleTimeoutMs / 1_000));
    const lease = await retryWithBackoff(
      {
        ...BACKOFF,
        leastWaitMs,
        signal: stopping,
        // A retired runner has no reason to outwait a gateway that is away: nothing was promised to anybody.
        isRetryable: (error) => !(error instanceof Refused) && !retirement.retired,
        onRetry: ({ error, waitMs }) => logger.warn({ event: 'gateway-unreachable', waitMs, err: error }),
      },
      async () => client.requestLease(await token.current(), seconds, stopping),
    ).catch((error: unknown) => {
      if (stopping.aborted || (retirement.retired && !(error instanceof Refused))) return null;
      throw error;
    });
    if (lease !== null) return lease;
  }
  return null;
}

/**
 * Whoever provisioned this runner may retire it: no further lease, then exit. So does the end of that process: a job under
 * way is finished, and nobody is left to start another runner in this one's place. A request that waits is not cut off,
 * because a lease may be on its way.
 */
function whenRetired(parent: Parent): Retirement {
  const state = { retired: false };
  const retire = (): void => {
    state.retired = true;
  };
  parent.on('message', (message) => {
    if (typeof message === 'object' && message !== null && 'retire' in message) retire();
  });
  parent.once('disconnect', retire);
  // It may have ended while we were starting.
  if (parent.send !== undefined && !parent.connected) retire();
  return state;
}

async function register(
  service: Service<RunnerConfig>,
  client: GatewayClient,
  retirement: Retirement,
): Promise<RegisterRunnerAnswer> {
  const { config } = service;
  const request = {
    name: config.runnerName ?? config.instanceId,
    pool: config.pool,
    capabilities: capabilitiesOf(config),
    version: VERSION,
  };
  return retryWithBackoff(
    {
      ...BACKOFF,
      leastWaitMs,
      signal: service.stopping,
      isRetryable: (error) => !(error instanceof Refused) && !retirement.retired,
      onRetry: ({ error }) => service.logger.warn({ event: 'registration-failed', err: error }),
    },
    async () => client.register(config.registrationToken.reveal(), request),
  );
}

function capabilitiesOf(config: RunnerConfig): RunnerCapabilities {
  const isolation: IsolationTier[] = [config.isolation];
  return {
    os: platform() === 'darwin' ? 'darwin' : 'linux',
    arch: arch() === 'arm64' ? 'arm64' : 'x64',
    isolation,
    toolchains: [],
    labels: [hostname(), ...config.labels].map((label) => label.slice(0, 100)),
  };
}

/** @throws Error that says which layer is missing and how to get it: a runner never offers what it cannot enforce. */
async function usableExecutor(
  config: RunnerConfig,
  logger: Logger,
  environment: NodeJS.ProcessEnv,
): Promise<SandboxExecutor> {
  const executor = executorOf(config, environment, await imagesOf(config));
  const probe = await executor.probe();
  for (const layer of probe.layers.filter(({ state }) => state !== 'enforced'))
    logger.warn({ event: 'layer-not-enforced', layer });
  if (probe.usable) return executor;
  const said = probe.layers
    .filter(({ state }) => state === 'missing')
    .map(({ by, remedy }) => `${by}${remedy === null ? '' : ` (${remedy})`}`);
  throw new Error(`no sandbox can be opened on this host: ${[...new Set(said)].join('; ')}`);
}

/** @throws Error that says what is wrong with the file */
async function imagesOf(config: RunnerConfig): Promise<ImageOffer | undefined> {
  if (config.imagesFile === undefined) return undefined;
  const { registries, ...offered } = await readImagesFile(config.imagesFile);
  return { ...offered, registry: { registries, isPublicAddress }, storeDir: join(sharedDir(config), 'images') };
}

function executorOf(
  config: RunnerConfig,
  environment: NodeJS.ProcessEnv,
  images: ImageOffer | undefined,
): SandboxExecutor {
  const common = { stateDir: stateDir(config), killGraceMs: config.killGraceMs };
  const programDirs = (environment['PATH'] ?? '').split(delimiter);
  switch (config.isolation) {
    case 'process':
      return new ProcessExecutor(common);
    case 'gvisor':
      return new GvisorExecutor({ ...common, runsc: config.runsc, programDirs });
    case 'container':
      return new ContainerExecutor({
        ...common,
        engineSocket: config.containerEngine,
        image: config.containerImage ?? null,
      });
    case 'sandbox':
      return new BubblewrapExecutor({
        ...common,
        bwrap: config.bwrap,
        programDirs,
        ...(images === undefined ? {} : { images }),
      });
  }
}

const stateDir = (config: RunnerConfig): string => join(config.dataDir, 'sandboxes');
const sharedDir = (config: RunnerConfig): string => config.sharedDir ?? config.dataDir;

function sourceTermsOf(config: RunnerConfig): SourceTerms {
  const { lfsCacheBytes, packCacheBytes } = config;
  return {
    protocols: config.cloneProtocols.filter(isProtocol),
    hosts: config.sourceHosts,
    lfsCache: lfsCacheBytes === 0 ? null : new LfsCache(join(sharedDir(config), 'lfs'), lfsCacheBytes),
    packCache: packCacheBytes === 0 ? null : new PackCache(join(sharedDir(config), 'packs'), packCacheBytes),
  };
}

const PROTOCOLS: readonly string[] = ['https', 'http', 'ssh', 'file'];
const isProtocol = (name: string): name is Protocol => PROTOCOLS.includes(name);
