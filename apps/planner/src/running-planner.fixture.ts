import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileArtifactStore } from '@delta-ci/artifact-store';
import { connectBus, consumeReports, publishEvent, topology, type Bus } from '@delta-ci/bus';
import {
  DEFAULT_RUN_POLICY,
  repositoryStream,
  runStream,
  type Change,
  type DomainEventOf,
  type RecordedEventOf,
  type RecordedEnvelope,
  type Report,
  type RerunSource,
  type RunId,
  type RunOutcome,
} from '@delta-ci/contracts';
import { LogWriter, migrate, openLog, provisionRoles, type LogConnection } from '@delta-ci/event-log';
import { prepareService } from '@delta-ci/service';
import { DeveloperClone } from '../../../test/support/git-server/bare-repository.ts';
import { serveGit, type GitHttpServer } from '../../../test/support/git-server/git-http-server.ts';
import { aChange } from '../../../test/support/made-up/change.ts';
import { aRepository } from '../../../test/support/made-up/repository.ts';
import { eventually, freshDatabase, freshNats, type FreshNats } from '../../../test/support/infra/index.ts';
import { plannerSettings } from './config.ts';
import { startPlanner } from './start-planner.ts';

/** A planner between a real bus and a real repository, and a stand-in for the orchestrator's ends of both streams. */

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
const REPOSITORY = 'github/demo/shop';
const WEBHOOK_SECRET = 'not-a-secret-0123456789';

export type PlannerReport = Report<'planner.plan-proposed' | 'planner.planning-failed'>;
export type RecipeReport = Report<'planner.recipe-proved' | 'planner.recipe-failed'>;

const PASSWORDS = { orchestrator: 'not-a-secret-orchestrator', reader: 'not-a-secret-reader' };

export class RunningPlanner {
  readonly reports: PlannerReport[] = [];
  readonly recipeReports: RecipeReport[] = [];
  readonly #directory: string;
  readonly store: FileArtifactStore;
  readonly developer: DeveloperClone;
  readonly #cloneUrl: string;
  readonly #bus: Bus;
  readonly #writer: LogWriter;
  readonly #endings: (() => Promise<unknown>)[];
  #position = 0;

  private constructor(parts: {
    directory: string;
    store: FileArtifactStore;
    developer: DeveloperClone;
    cloneUrl: string;
    bus: Bus;
    writer: LogWriter;
    endings: (() => Promise<unknown>)[];
  }) {
    this.#directory = parts.directory;
    this.store = parts.store;
    this.developer = parts.developer;
    this.#cloneUrl = parts.cloneUrl;
    this.#bus = parts.bus;
    this.#writer = parts.writer;
    this.#endings = parts.endings;
  }

  /** @param settings besides those that name the servers, as environment variables */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<RunningPlanner> {
    const directory = await mkdtemp(join(tmpdir(), 'delta-planner-'));
    const git = await serveGit(join(directory, 'served'));
    const cloneUrl = `${git.url}/demo/shop.git`;
    const developer = await DeveloperClone.create(join(directory, 'served', 'demo', 'shop.git'), cloneUrl);
    const nats = await freshNats();
    const bus = await connectBus({ servers: [nats.url], name: 'test', log: SILENT });
    await bus.provision(topology({ pools: ['default'] }));
    const log = await freshLog();
    const stop = await runPlanner({ directory, cloneUrl, natsUrl: nats.url, databaseUrl: log.readerUrl, settings });
    const planner = new RunningPlanner({
      directory,
      store: new FileArtifactStore(join(directory, 'artifacts')),
      developer,
      cloneUrl,
      bus,
      writer: log.writer,
      endings: [stop, async () => bus.close(), log.end, ...removals(directory, git, developer, nats)],
    });
    planner.#collect();
    return planner;
  }

  /** The bare repository that the planner fetches from. */
  get gitDir(): string {
    return join(this.#directory, 'served', 'demo', 'shop.git');
  }

  #collect(): void {
    const keep = async (report: PlannerReport): Promise<void> => {
      this.reports.push(report);
    };
    const keepRecipe = async (report: RecipeReport): Promise<void> => {
      this.recipeReports.push(report);
    };
    const consumption = consumeReports(
      this.#bus,
      {
        'planner.plan-proposed': keep,
        'planner.planning-failed': keep,
        'planner.recipe-proved': keepRecipe,
        'planner.recipe-failed': keepRecipe,
      },
      { log: SILENT },
    );
    this.#endings.unshift(async () => consumption.close());
  }

  /** Publishes `run.created` as the relay does. */
  async create(
    run: number,
    change: Partial<Change> & Pick<Change, 'head'>,
    rerun: RerunSource | null = null,
  ): Promise<RunId> {
    this.#position += 1;
    const event = runCreated(run, this.#position, this.#cloneUrl, change, rerun);
    await publishEvent(this.#bus, event);
    return event.data.runId;
  }

  /** Publishes `run.finished`. */
  async finish(runId: RunId, outcome: RunOutcome): Promise<void> {
    this.#position += 1;
    const data = { outcome, reason: 'it is over' };
    await publishEvent(this.#bus, { ...envelopeOf(runId, this.#position, 2), type: 'run.finished', data });
  }

  /** What the planner said of recipes after a run was over. */
  async recipeReportOn(runId: RunId): Promise<RecipeReport> {
    return eventually(`a report on a recipe after ${runId}`, () =>
      this.recipeReports.find(({ data }) => data.runId === runId),
    );
  }

  /** Records what the orchestrator would of a recipe. */
  async record(event: DomainEventOf<'recipe.learned' | 'recipe.staled'>): Promise<void> {
    const stream = repositoryStream(event.data.repository);
    const answer = { ok: true, result: {} } as const;
    await this.#writer.submit({
      id: `${event.type}-${event.data.recipeId}`,
      causation: 'test',
      traceparent: null,
      runs: [],
      actor: { kind: 'service', name: 'planner' },
      decide: () => ({ appends: [{ stream, events: [event] }], answer }),
    });
  }

  /** What the planner said about a run. */
  async reportOn(runId: RunId, deadline_ms?: number): Promise<PlannerReport> {
    const probe = (): PlannerReport | undefined => this.reports.find(({ data }) => data.runId === runId);
    return eventually(`a report on ${runId}`, probe, deadline_ms === undefined ? {} : { deadline_ms });
  }

  /** Loses what is stored under this digest, as a disk does. */
  async forget(digest: string): Promise<void> {
    const hex = digest.slice('sha256:'.length);
    await rm(join(this.#directory, 'artifacts', 'objects', 'sha256', hex.slice(0, 2), hex));
  }

  async stop(): Promise<void> {
    for (const end of this.#endings) await end();
  }
}

interface FreshLog {
  readonly readerUrl: string;
  readonly writer: LogWriter;
  readonly end: () => Promise<void>;
}

async function freshLog(): Promise<FreshLog> {
  const database = await freshDatabase();
  await migrate({ adminUrl: database.adminUrl });
  const { orchestratorUrl, readerUrl } = await provisionRoles({ adminUrl: database.adminUrl, passwords: PASSWORDS });
  const log: LogConnection = await openLog({ databaseUrl: orchestratorUrl, applicationName: 'test' });
  const writer = new LogWriter({ pool: log.pool });
  const end = async (): Promise<void> => {
    await writer.close();
    await log.close();
    await database.drop();
  };
  return { readerUrl, writer, end };
}

interface PlannerPlaces {
  readonly directory: string;
  readonly cloneUrl: string;
  readonly natsUrl: string;
  readonly databaseUrl: string;
  readonly settings: Readonly<Record<string, string>>;
}

async function runPlanner({
  directory,
  cloneUrl,
  natsUrl,
  databaseUrl,
  settings,
}: PlannerPlaces): Promise<() => Promise<unknown>> {
  const forgesFile = join(directory, 'forges.json');
  const forge = {
    kind: 'github',
    name: 'github',
    apiUrl: 'http://127.0.0.1:9',
    webhookSecret: { env: 'WEBHOOK_SECRET' },
    cloneProtocols: ['http'],
    allowPrivateAddresses: true,
    repositories: [{ id: REPOSITORY, cloneUrl }],
  };
  await writeFile(forgesFile, JSON.stringify({ forges: [forge] }));
  const environment = { PATH: process.env['PATH'], WEBHOOK_SECRET };
  const prepared = prepareService(
    { name: 'planner', settings: plannerSettings, start: async (service) => startPlanner(service, environment) },
    {
      env: {
        DELTA_NATS_URL: natsUrl,
        DELTA_DATABASE_URL: databaseUrl,
        DELTA_ARTIFACT_DIR: join(directory, 'artifacts'),
        DELTA_DATA_DIR: join(directory, 'data'),
        DELTA_FORGES_FILE: forgesFile,
        ...settings,
      },
      sink: { write: () => true },
    },
  );
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
  await prepared.service.start();
  return async () => prepared.service.stop('the test is over');
}

function removals(
  directory: string,
  git: GitHttpServer,
  developer: DeveloperClone,
  nats: FreshNats,
): (() => Promise<unknown>)[] {
  return [
    async () => nats.remove(),
    async () => git.close(),
    async () => developer.remove(),
    async () => rm(directory, { recursive: true, force: true }),
  ];
}

function runCreated(
  run: number,
  position: number,
  cloneUrl: string,
  change: Partial<Change> & Pick<Change, 'head'>,
  rerun: RerunSource | null,
): RecordedEventOf<'run.created'> {
  const runId = `run_${run.toString(16).padStart(32, '0')}`;
  return {
    ...envelopeOf(runId, position, 1),
    type: 'run.created',
    data: {
      runId,
      repository: aRepository({ id: REPOSITORY, cloneUrl }),
      change: aChange({ kind: rerun === null ? 'push' : 'rerun', ...change }),
      policy: DEFAULT_RUN_POLICY,
      rerun,
    },
  };
}

function envelopeOf(runId: RunId, position: number, version: number): RecordedEnvelope {
  const hash = (at: number): string => at.toString(16).padStart(64, '0');
  return {
    id: `01900000-0000-7000-8000-${position.toString(16).padStart(12, '0')}`,
    position,
    stream: runStream(runId),
    version,
    schemaVersion: 1,
    time: '2026-01-02T03:04:05.678Z',
    actor: { kind: 'forge-user', name: 'ada' },
    correlation: runId,
    causation: `command-${position}`,
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    prevHash: hash(position - 1),
    hash: hash(position),
  };
}
