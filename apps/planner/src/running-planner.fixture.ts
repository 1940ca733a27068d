import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileArtifactStore } from '@delta-ci/artifact-store';
import { connectBus, consumeReports, publishEvent, topology, type Bus } from '@delta-ci/bus';
import {
  DEFAULT_RUN_POLICY,
  runStream,
  type Change,
  type RecordedEventOf,
  type Report,
  type RerunSource,
  type RunId,
} from '@delta-ci/contracts';
import { prepareService } from '@delta-ci/service';
import { DeveloperClone } from '../../../test/support/git-server/bare-repository.ts';
import { serveGit, type GitHttpServer } from '../../../test/support/git-server/git-http-server.ts';
import { aChange } from '../../../test/support/made-up/change.ts';
import { aRepository } from '../../../test/support/made-up/repository.ts';
import { eventually, freshNats, type FreshNats } from '../../../test/support/infra/index.ts';
import { plannerSettings } from './config.ts';
import { startPlanner } from './start-planner.ts';

/** A planner between a real bus and a real repository, and a stand-in for the orchestrator's ends of both streams. */

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
const REPOSITORY = 'github/demo/shop';
const WEBHOOK_SECRET = 'not-a-secret-0123456789';

export type PlannerReport = Report<'planner.plan-proposed' | 'planner.planning-failed'>;

export class RunningPlanner {
  readonly reports: PlannerReport[] = [];
  readonly #directory: string;
  readonly store: FileArtifactStore;
  readonly developer: DeveloperClone;
  readonly #cloneUrl: string;
  readonly #bus: Bus;
  readonly #endings: (() => Promise<unknown>)[];
  #position = 0;

  private constructor(parts: {
    directory: string;
    store: FileArtifactStore;
    developer: DeveloperClone;
    cloneUrl: string;
    bus: Bus;
    endings: (() => Promise<unknown>)[];
  }) {
    this.#directory = parts.directory;
    this.store = parts.store;
    this.developer = parts.developer;
    this.#cloneUrl = parts.cloneUrl;
    this.#bus = parts.bus;
    this.#endings = parts.endings;
  }

  static async start(): Promise<RunningPlanner> {
    const directory = await mkdtemp(join(tmpdir(), 'delta-planner-'));
    const git = await serveGit(join(directory, 'served'));
    const cloneUrl = `${git.url}/demo/shop.git`;
    const developer = await DeveloperClone.create(join(directory, 'served', 'demo', 'shop.git'), cloneUrl);
    const nats = await freshNats();
    const bus = await connectBus({ servers: [nats.url], name: 'test', log: SILENT });
    await bus.provision(topology({ pools: ['default'] }));
    const stop = await runPlanner(directory, cloneUrl, nats);
    const planner = new RunningPlanner({
      directory,
      store: new FileArtifactStore(join(directory, 'artifacts')),
      developer,
      cloneUrl,
      bus,
      endings: [stop, async () => bus.close(), ...removals(directory, git, developer, nats)],
    });
    planner.#collect();
    return planner;
  }

  #collect(): void {
    const keep = async (report: PlannerReport): Promise<void> => {
      this.reports.push(report);
    };
    const consumption = consumeReports(
      this.#bus,
      { 'planner.plan-proposed': keep, 'planner.planning-failed': keep },
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

  /** What the planner said about a run. */
  async reportOn(runId: RunId): Promise<PlannerReport> {
    return eventually(`a report on ${runId}`, () => this.reports.find(({ data }) => data.runId === runId));
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

async function runPlanner(directory: string, cloneUrl: string, nats: FreshNats): Promise<() => Promise<unknown>> {
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
        DELTA_NATS_URL: nats.url,
        DELTA_ARTIFACT_DIR: join(directory, 'artifacts'),
        DELTA_DATA_DIR: join(directory, 'data'),
        DELTA_FORGES_FILE: forgesFile,
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
  const hash = (at: number): string => at.toString(16).padStart(64, '0');
  return {
    type: 'run.created',
    id: `01900000-0000-7000-8000-${position.toString(16).padStart(12, '0')}`,
    position,
    stream: runStream(runId),
    version: 1,
    schemaVersion: 1,
    time: '2026-01-02T03:04:05.678Z',
    actor: { kind: 'forge-user', name: 'ada' },
    correlation: runId,
    causation: `command-${position}`,
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    prevHash: hash(position - 1),
    hash: hash(position),
    data: {
      runId,
      repository: aRepository({ id: REPOSITORY, cloneUrl }),
      change: aChange({ kind: rerun === null ? 'push' : 'rerun', ...change }),
      policy: DEFAULT_RUN_POLICY,
      rerun,
    },
  };
}
