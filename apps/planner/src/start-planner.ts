import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { openArtifactStore } from '@delta-ci/artifact-store';
import { ReportClient, connectBus, consumeEvents, type AroundHandler, type Bus } from '@delta-ci/bus';
import {
  RecalledDurations,
  openLog,
  whatDidShadowsFind,
  whichAttemptsWait,
  whichPlanHasTheTrustedRun,
  type LogConnection,
} from '@delta-ci/event-log';
import { loadForgeSettings, type ForgeSettings } from '@delta-ci/forge';
import { Git } from '@delta-ci/git';
import type { LimitsMax, PlanningRules } from '@delta-ci/planning';
import { withSpan, type Service } from '@delta-ci/service';
import type { PlannerConfig } from './config.ts';
import { ConcernedRuns } from './concerned-runs.ts';
import { RecipeMemory } from './known-recipes.ts';
import { onRunCreated, type RunCreatedTools } from './on-run-created.ts';
import { onRunFinished, type RunFinishedTools } from './on-run-finished.ts';
import { PlanMemory } from './plan-memory.ts';
import { planRun } from './plan-run.ts';
import { ReadingMemory } from './reading-memory.ts';
import { PlanningThreads } from './planning-threads.ts';
import { plannerMetrics } from './planner-metrics.ts';
import { PlannerModule } from './planner.module.ts';
import type { PlanningOutcome } from './planning-outcome.ts';
import { sweepRecipes } from './sweep-recipes.ts';
import { ServedMirrors } from './served-mirrors.ts';
import { ToldDurations } from './told-durations.ts';
import { ToldLedger } from './told-ledger.ts';

type Planner = Service<PlannerConfig>;
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Opens what planning needs, follows the log for runs that begin and end, and serves health last.
 * @param environment where git finds PATH and certificates, and forge settings find named secrets
 */
export async function startPlanner(service: Planner, environment: Environment): Promise<void> {
  const { config, logger } = service;
  const forges = await readForges(config.forgesFile, environment);
  const git = await usableGit(environment);
  const mirrorDir = resolve(config.dataDir, 'mirrors');
  await mkdir(mirrorDir, { recursive: true });
  const store = await openArtifactStore(config);
  await store.check();
  const bus = await openBus(service);
  const log = await openDatabase(service);
  const threads = await service.open(
    'planning threads',
    () => new PlanningThreads(),
    async (opened) => opened.close(),
  );
  threads.warm();
  const mirrors = new ServedMirrors(git, mirrorDir, forges);
  const [memory, plans] = [new ReadingMemory(), new PlanMemory()];
  const recalled = new RecalledDurations(log);
  const durations = new ToldDurations(async (repository) => recalled.recall(repository), logger);
  const recipes = new RecipeMemory();
  const ledger = new ToldLedger(
    {
      samples: async (repository, after) => whatDidShadowsFind(log, repository, after),
      isBusy: async () => (await whichAttemptsWait(log, { ...WAITING, pool: config.pool, limit: 1 })).length > 0,
    },
    logger,
  );
  const tools = { mirrors, memory, plans, durations, ledger, store, log, recipes, rules: rulesOf(config), threads };
  const concerned = new ConcernedRuns();
  const reports = new ReportClient(bus);
  const handling: RunCreatedTools = {
    plan: measured(service, async (data, signal) => {
      const outcome = await planRun(tools, data, signal);
      if (outcome.kind === 'planned') concerned.keep(data.runId, outcome);
      return outcome;
    }),
    reports,
    logger,
    timeLimitMs: config.planningTimeLimitMs,
  };
  const finishing: RunFinishedTools = {
    concerned,
    planOfTrustedRun: async (runId) => whichPlanHasTheTrustedRun(log, runId),
    readPlan: async (text) => threads.read(text, AbortSignal.timeout(config.planningTimeLimitMs)),
    store,
    sweep: async (repository, fingerprint) => sweepRecipes({ log, store }, repository, fingerprint),
    reports,
    logger,
  };
  const around: AroundHandler = async ({ name, traceparent }, run) =>
    withSpan(name, { kind: 'consumer', ...(traceparent === null ? {} : { parent: traceparent }) }, run);
  const consumption = consumeEvents(
    bus,
    'planner',
    {
      'run.created': async (event, context) => onRunCreated(handling, event, context),
      'run.finished': async (event) => onRunFinished(finishing, event),
    },
    { log: logger, concurrency: config.concurrency, around },
  );
  service.beforeClosing('planning', async () => consumption.close(config.shutdownGraceMs / 2));
  service.checkHealth('artifacts', async () => store.check());
  await service.serve(PlannerModule);
}

async function readForges(path: string, environment: Environment): Promise<ForgeSettings[]> {
  const loaded = await loadForgeSettings(path, environment);
  if (!loaded.ok) throw new Error(`the forge settings cannot be used: ${loaded.problems.join('; ')}`);
  return loaded.forges;
}

async function usableGit(environment: Environment): Promise<Git> {
  const git = new Git({ environment });
  const version = await git.version();
  if (!version.ok) throw new Error(version.error.message);
  return git;
}

async function openBus(service: Planner): Promise<Bus> {
  const { config, logger } = service;
  const connect = async (): Promise<Bus> =>
    connectBus({ servers: [config.natsUrl.reveal()], name: 'planner', log: logger });
  const bus = await service.open('bus', connect, async (connection) => connection.close());
  service.checkHealth('bus', () => {
    if (!bus.isConnected()) throw new Error('not connected');
  });
  return bus;
}

/** Work that waits longer than this goes before any sample of what is left out. */
const WAITING = { waitedAtLeastMs: 60_000 };

/** Look-ups by an index, so a few answer for many runs at once. */
const DATABASE_CONNECTIONS = 2;

/** To read which recipes are known, and which plan a run had: one look-up for a run that begins, at most one for its end. */
async function openDatabase(service: Planner): Promise<LogConnection> {
  const { databaseUrl } = service.config;
  return service.open(
    'database',
    async () =>
      openLog({
        databaseUrl: databaseUrl.reveal(),
        applicationName: 'planner',
        hotConnectionsMax: DATABASE_CONNECTIONS,
        readConnectionsMax: 1,
      }),
    async (connection) => connection.close(),
  );
}

function rulesOf(config: PlannerConfig): PlanningRules {
  const { pool, jobOs, isolation, untrustedEgress, requireToolchains, runnerLabels, runnerImages } = config;
  const { jobCpuMax, jobMemoryMax, jobDiskMax } = config;
  const { shadowRate, shadowEscapeRateMax, shadowSamplesMin } = config;
  const limitsMax: LimitsMax = {
    ...(jobCpuMax === undefined ? {} : { cpuCount: jobCpuMax }),
    ...(jobMemoryMax === undefined ? {} : { memoryBytes: jobMemoryMax }),
    ...(jobDiskMax === undefined ? {} : { diskBytes: jobDiskMax }),
  };
  return {
    pool,
    os: jobOs,
    trustedIsolation: isolation,
    untrustedEgress,
    requireToolchains,
    ...(runnerLabels === undefined ? {} : { labels: runnerLabels }),
    ...(runnerImages === undefined ? {} : { images: runnerImages }),
    ...(Object.keys(limitsMax).length === 0 ? {} : { limitsMax }),
    shadow: { rate: shadowRate, escapeRateMax: shadowEscapeRateMax, samplesMin: shadowSamplesMin },
  };
}

type PlanFunction = RunCreatedTools['plan'];

/** Counts and times what `plan` does. */
function measured(service: Planner, plan: PlanFunction): PlanFunction {
  const metrics = service.metrics(plannerMetrics);
  return async (data, signal) => {
    const startedMs = performance.now();
    const outcome: PlanningOutcome = await plan(data, signal);
    const result = outcome.kind;
    metrics.plans.add(1, { result });
    metrics.planningDuration.record((performance.now() - startedMs) / 1_000, { result });
    if (outcome.kind === 'planned') {
      metrics.plannedJobs.add(outcome.plan.jobs.length, { decision: 'run' });
      metrics.plannedJobs.add(outcome.plan.skipped.length, { decision: 'skip' });
    }
    return outcome;
  };
}
