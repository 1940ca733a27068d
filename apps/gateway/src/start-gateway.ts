import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { openArtifactStore, type ArtifactStore } from '@delta-ci/artifact-store';
import { CommandClient, connectBus, type Bus } from '@delta-ci/bus';
import {
  LogBell,
  LogReader,
  findPlan,
  loadTrustedKeys,
  openLog,
  showRun,
  type LogConnection,
} from '@delta-ci/event-log';
import type { AttemptRef } from '@delta-ci/contracts';
import { loadForgeSettings, type ForgeSettings } from '@delta-ci/forge';
import { artifactMetrics, gatewayMetrics, Secret, type Service } from '@delta-ci/service';
import type { Proofs } from './access/authorisation-guard.ts';
import { loadAccessTokens, readAdminToken } from './access/access-tokens.ts';
import { readSigningKey, RunnerTokens } from './access/runner-tokens.ts';
import type { GatewayConfig } from './config.ts';
import { GatewayModule } from './gateway-module.ts';
import { ANSWER_HEADERS, prepareEdge } from './http/edge.ts';
import { EventStreams } from './http/event-streams.ts';
import { LogCloser } from './logs/log-closer.ts';
import type { GatewayParts } from './parts.ts';
import { IdTokenIssuer } from './id-tokens/id-token-issuer.ts';
import { SigningKeys } from './id-tokens/signing-keys.ts';
import { PlanShelf } from './runners/lease-offer.ts';
import { loadSecrets } from './secrets/load-secrets.ts';
import type { SecretStore } from './secrets/secret-store.ts';
import { keepSwept } from './sweep.ts';

const MS_PER_DAY = 86_400_000;
/** Each has an operator at its other end. */
const SHELL_STREAMS_MAX = 100;

type Gateway = Service<GatewayConfig>;
type Env = Readonly<Record<string, string | undefined>>;

/**
 * Opens what the routes work with, and listens last.
 * @param env where the forge settings look up the secrets they name, and the secrets of jobs may be
 */
export async function startGateway(service: Gateway, env: Env): Promise<NestFastifyApplication> {
  const { config, logger, stopping } = service;
  const forges = await openForges(service, env);
  const secrets = await openSecrets(service, env);
  const proofs = await openProofs(service);
  const checkpointKeys = await loadTrustedKeys(config.checkpointKeysDir);
  const log = await openDatabase(service);
  const bell = await openBell(service);
  const bus = await openBus(service);
  const store = await openArtifactStore(config);
  await store.check();
  service.checkHealth('artifact store', async () => store.check());
  const keys = await openSigningKeys(service);
  const logCloser = await openSweep(service, { log, store, keys });
  const metrics = { ...service.metrics(gatewayMetrics), ...service.metrics(artifactMetrics) };
  const reader = new LogReader(log);
  const commands = new CommandClient(bus);
  const { followers } = metrics;
  const streams = new EventStreams({ openMax: config.streamsMax, followers, stopping });
  const shellStreams = new EventStreams({ openMax: SHELL_STREAMS_MAX, followers, stopping });
  const parts: GatewayParts = {
    logger,
    commands,
    bus,
    log,
    reader,
    bell,
    plans: new PlanShelf(async (digest) => findPlan(log, digest)),
    store,
    logCloser,
    forges,
    secrets,
    idTokens: issuerOf(service, secrets, keys),
    proofs,
    checkpointKeys,
    streams,
    shellStreams,
    metrics,
    stopping,
  };
  return service.serve(GatewayModule.with(parts), {
    answerHeaders: ANSWER_HEADERS,
    prepare: (app) =>
      prepareEdge(app, {
        rates: {
          signature: { perSecond: config.webhooksPerSecond, atOnce: config.webhooksAtOnce },
          registration: { perSecond: config.registrationsPerSecond, atOnce: config.registrationsAtOnce },
        },
        bodyTimeoutMs: config.bodyTimeoutMs,
        requests: {
          atOnce: config.requestsAtOnce,
          waitingMax: config.requestsWaitingMax,
          patienceMs: config.requestPatienceMs,
        },
        nowMs: () => performance.now(),
        onRateLimited: (access) => metrics.rateLimited.add(1, { access }),
      }),
  });
}

/** What this gateway goes through every hour. */
interface Swept {
  readonly log: LogConnection;
  readonly store: ArtifactStore;
  readonly keys: SigningKeys | null;
}

/** Archives logs of attempts that are over, and removes what nobody needs any more of the store and of keys. */
async function openSweep(service: Gateway, { log, store, keys }: Swept): Promise<LogCloser> {
  const { config, logger } = service;
  const logsKeptMs = config.logsKeptDays * MS_PER_DAY;
  const logCloser = await service.open(
    'log closer',
    () => new LogCloser({ store, isOver: async (attempt) => isAttemptOver(log, attempt), logger }),
    async (closer) => closer.end(),
  );
  await service.open(
    'sweep',
    () =>
      keepSwept({
        store,
        keys,
        logCloser,
        logger,
        logsKeptMs,
        nowMs: Date.now,
      }),
    async (end) => end(),
  );
  return logCloser;
}

async function isAttemptOver(log: LogConnection, { runId, jobKey, attempt }: AttemptRef): Promise<boolean> {
  const run = await showRun(log, runId);
  const job = run?.jobs.find(({ key }) => key === jobKey);
  return job?.attempts.find((each) => each.attempt === attempt)?.state === 'finished';
}

async function openForges(service: Gateway, env: Env): Promise<ForgeSettings[]> {
  const loaded = await loadForgeSettings(service.config.forgesFile, env);
  if (!loaded.ok) throw new Error(loaded.problems.join('; '));
  for (const { webhookSecret, token, sourceTokens } of loaded.forges) {
    for (const secret of new Set([webhookSecret, token, ...sourceTokens.values()]))
      if (secret !== null) service.hide(new Secret(secret));
  }
  return loaded.forges;
}

async function openSecrets(service: Gateway, env: Env): Promise<SecretStore> {
  const loaded = await loadSecrets(service.config.secretsFile ?? null, env);
  if (!loaded.ok) throw new Error(loaded.problems.join('; '));
  return loaded.store;
}

/** The keys of identity tokens, made at the start where there are none; null where no tokens are issued. */
async function openSigningKeys({ config }: Gateway): Promise<SigningKeys | null> {
  const { idTokenIssuer, idTokenKeyPeriodMs: periodMs, dataDir } = config;
  if (idTokenIssuer === undefined) return null;
  const keys = new SigningKeys(dataDir, periodMs, Date.now);
  await keys.published();
  return keys;
}

function issuerOf({ config }: Gateway, secrets: SecretStore, keys: SigningKeys | null): IdTokenIssuer | null {
  const { idTokenIssuer, idTokenTtlMaxMs: tokenMsMax } = config;
  if (idTokenIssuer === undefined || keys === null) return null;
  return new IdTokenIssuer({
    issuer: idTokenIssuer.replace(/\/+$/, ''),
    keys,
    tokenMsMax,
    isProtected: (repository, ref) => secrets.isProtected({ repository, ref }),
    nowMs: Date.now,
  });
}

async function openProofs(service: Gateway): Promise<Proofs> {
  const { config, logger } = service;
  const { token, made } = await readAdminToken(config.adminTokenFile);
  service.hide(new Secret(token));
  logger.info({ event: 'admin-token', place: config.adminTokenFile, made }, 'the administrator token is in this file');
  const { environment, runnerTokenTtlMs: ttlMs } = config;
  const key = await readSigningKey(config.dataDir);
  return {
    access: await loadAccessTokens(token, config.tokensFile),
    runners: new RunnerTokens({ key, environment, ttlMs, nowMs: Date.now }),
    registrationToken: config.registrationToken.reveal(),
  };
}

async function openDatabase(service: Gateway): Promise<LogConnection> {
  const { databaseUrl, databaseConnections } = service.config;
  const log = await service.open(
    'database',
    async () =>
      openLog({
        databaseUrl: databaseUrl.reveal(),
        applicationName: 'gateway',
        hotConnectionsMax: databaseConnections,
        readConnectionsMax: databaseConnections,
      }),
    async (connection) => connection.close(),
  );
  const reader = new LogReader(log);
  service.checkHealth('database', async () => {
    await reader.head();
  });
  return log;
}

/** Rings for everybody who follows events, over one connection. */
async function openBell(service: Gateway): Promise<LogBell> {
  const databaseUrl = service.config.databaseUrl.reveal();
  return service.open(
    'log bell',
    () => new LogBell({ databaseUrl, applicationName: 'gateway bell' }),
    async (bell) => bell.close(),
  );
}

async function openBus(service: Gateway): Promise<Bus> {
  const { config, logger } = service;
  const bus = await service.open(
    'bus',
    async () => connectBus({ servers: [config.natsUrl.reveal()], name: 'gateway', log: logger }),
    async (connection) => connection.close(),
  );
  service.checkHealth('bus', () => {
    if (!bus.isConnected()) throw new Error('not connected');
  });
  return bus;
}
