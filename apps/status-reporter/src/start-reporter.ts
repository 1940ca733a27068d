import { connectBus, consumeEvents, ReportClient, type Bus, type EventHandlers } from '@delta-ci/bus';
import type { RunId } from '@delta-ci/contracts';
import { leadWhile, listRuns, openLog, showRun, whichRunsAreUnreported, type LogConnection } from '@delta-ci/event-log';
import { GitHubChecks, loadForgeSettings, type ForgeSettings } from '@delta-ci/forge';
import { forgeMetrics, Secret, withSpan, type Service } from '@delta-ci/service';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReporterConfig } from './config.ts';
import { eventHandlers } from './event-handlers.ts';
import { ForgeDesk } from './forge-desk.ts';
import { reportPublication } from './report-publication.ts';
import { ReporterModule } from './reporter.module.ts';
import { RunQueue, type LookCause } from './run-queue.ts';
import { RunReporter } from './run-reporter.ts';

type Reporter = Service<ReporterConfig>;
type Env = Readonly<Record<string, string | undefined>>;

/** Runs published side by side: forges ask for few calls at once, and a slow one must not hold up all. */
const RUNS_AT_ONCE = 4;
/** A call that was given up may lie in a queue before the forge for some times as long as we waited for its answer. */
const LATE_FACTOR = 4;
/** A run that finished earlier without being reported is left to a person. */
const FINISHED_WITHIN_MS = 7 * 24 * 3_600_000;
/** Runs looked at in one sweep; the next sweep sees what is left. */
const SWEEP_MAX = 1_000;
/** After a start these are looked at whatever they say: an explanation may have come after the end of a run. */
const NEWEST_RUNS = 200;

/** Opens everything; publishes for as long as no other reporter does. @param env where forge settings look up secrets */
export async function startReporter(service: Reporter, env: Env): Promise<void> {
  const { config, logger } = service;
  const office = { isHeld: () => false };
  const desks = await openDesks(service, env, () => office.isHeld());
  const log = await service.open(
    'database',
    async () =>
      openLog({
        databaseUrl: config.databaseUrl.reveal(),
        applicationName: 'status-reporter',
        hotConnectionsMax: 1,
        readConnectionsMax: RUNS_AT_ONCE,
      }),
    async (opened) => opened.close(),
  );
  const bus = await service.open(
    'bus',
    async () => connectBus({ servers: [config.natsUrl.reveal()], name: 'status-reporter', log: logger }),
    async (opened) => opened.close(),
  );
  service.checkHealth('bus', () => {
    if (!bus.isConnected()) throw new Error('not connected');
  });
  const reporter = openReporter(service, log, new ReportClient(bus), desks);
  const leading = leadWhile({
    databaseUrl: config.databaseUrl.reveal(),
    applicationName: 'status-reporter office',
    office: 'status-reporter',
    signal: service.stopping,
    lead: async (signal, isHeld) => {
      office.isHeld = isHeld;
      await publishWhile(service, { log, bus, reporter }, signal);
    },
  }).catch((error: unknown) => {
    logger.error({ event: 'leading-failed', err: error });
    service.stop('the work of the leader failed');
  });
  service.beforeClosing('publishing', async () => leading);
  await service.serve(ReporterModule);
}

/** @param mayCall whether the office is ours: whoever slept must not go on with an old view beside a successor */
async function openDesks(service: Reporter, env: Env, mayCall: () => boolean): Promise<Map<string, ForgeDesk>> {
  const { config } = service;
  const loaded = await loadForgeSettings(config.forgesFile, env);
  if (!loaded.ok) throw new Error(loaded.problems.join('; '));
  const metrics = service.metrics(forgeMetrics);
  const backoff = { initialMs: config.retryInitialMs, capMs: config.retryCapMs };
  const checksOf = ({ apiUrl, token, kind }: ForgeSettings): GitHubChecks | null => {
    if (token === null) return null;
    service.hide(new Secret(token));
    return new GitHubChecks({
      apiUrl,
      token,
      timeoutMs: config.forgeTimeoutMs,
      nowMs: Date.now,
      mayCall,
      onCall: ({ operation, result, durationMs }) =>
        metrics.calls.record(durationMs / 1_000, { 'vcs.provider.name': kind, operation, result }),
    });
  };
  return new Map(loaded.forges.map((forge) => [forge.name, new ForgeDesk(forge.name, checksOf(forge), backoff)]));
}

function openReporter(
  { config, logger }: Reporter,
  log: LogConnection,
  reports: ReportClient,
  desks: ReadonlyMap<string, ForgeDesk>,
): RunReporter {
  return new RunReporter({
    view: async (runId) => showRun(log, runId),
    // The first part of a repository's id is the name of its forge.
    deskOf: ({ repository }) => desks.get(repository.id.split('/')[0] ?? '') ?? null,
    record: async (view, record, cause) => reportPublication(reports, view, record, cause),
    links: { gatewayUrl: config.gatewayUrl },
    backoff: { initialMs: config.retryInitialMs, capMs: config.retryCapMs },
    lateMs: LATE_FACTOR * config.forgeTimeoutMs,
    nowMs: Date.now,
    logger,
  });
}

interface Parts {
  log: LogConnection;
  bus: Bus;
  reporter: RunReporter;
}

/** One term of the leader: events and sweeps want looks, until the signal aborts. */
async function publishWhile(service: Reporter, { log, bus, reporter }: Parts, signal: AbortSignal): Promise<void> {
  const { config, logger } = service;
  reporter.unanswered.beginTerm();
  const queue = new RunQueue({
    look: async (runId, cause) => lookInSpan(reporter, runId, cause),
    coalesceMs: config.coalesceMs,
    concurrency: RUNS_AT_ONCE,
    nowMs: Date.now,
  });
  const handlers: EventHandlers = eventHandlers((runId, cause, urgent) => queue.want(runId, cause, urgent));
  const consumption = consumeEvents(bus, 'status-reporter', handlers, { log: logger, concurrency: 64 });
  const sweeping = sweepWhile(service, { log, bus, reporter }, queue, signal);
  if (!signal.aborted) await once(signal, 'abort');
  await Promise.all([consumption.close(), sweeping]);
  await queue.close();
}

async function lookInSpan(reporter: RunReporter, runId: RunId, cause: LookCause): Promise<number | null> {
  const parent = cause.traceparent ?? undefined;
  return withSpan('publish run', { parent, kind: 'consumer', attributes: { 'delta.run_id': runId } }, async () =>
    reporter.look(runId, cause),
  );
}

/** Level-triggered: whatever was missed, by whomever, is seen here. */
async function sweepWhile(
  service: Reporter,
  { log, reporter }: Parts,
  queue: RunQueue,
  signal: AbortSignal,
): Promise<void> {
  for (let first = true; !signal.aborted;) {
    try {
      const causation = `sweep-${randomUUID()}`;
      const runs = await whichRunsAreUnreported(log, { finishedWithinMs: FINISHED_WITHIN_MS, limit: SWEEP_MAX });
      const newest = first ? await listRuns(log, { limit: NEWEST_RUNS }) : null;
      if (newest !== null) reporter.unanswered.inherit(newest.runs[0]?.createdAtMs ?? 0);
      first = false;
      const all = new Map<RunId, string | null>((newest?.runs ?? []).map(({ runId }) => [runId, null]));
      for (const { runId, traceparent } of runs) all.set(runId, traceparent);
      for (const [runId, traceparent] of all) queue.want(runId, { causation, traceparent });
    } catch (error) {
      service.logger.warn({ event: 'sweep-failed', err: error });
    }
    await sleep(service.config.sweepIntervalMs, undefined, { signal }).catch(() => undefined);
  }
}
