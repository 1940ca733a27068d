import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunView } from '@delta-ci/contracts';
import pg from 'pg';
import { freeLoopbackPort } from '../../../tools/bootstrap/index.mjs';
import { startMesh, type Mesh } from '../../../tools/mesh/mesh.ts';
import type { ServiceName } from '../../../tools/mesh/service-table.ts';
import { toolchainDirs } from '../../../tools/mesh/toolchain-dirs.ts';
import { FakeForge } from '../fake-forge/fake-forge.ts';
import type { CheckRun } from '../fake-forge/github-checks.ts';
import { deliver, pushDelivery, type Delivery, type DeliveryAnswer } from '../fake-forge/webhook-deliveries.ts';
import { DeveloperClone, type Commit, type FileChanges } from '../git-server/bare-repository.ts';
import { bubblewrapPath, eventually, freshDatabase, freshNats, type FreshNats } from '../infra/index.ts';
import { HeldJobs, type HeldJob } from './held-jobs.ts';
import { brokenInvariants } from './invariants.ts';
import { MeshApi } from './mesh-api.ts';
import { processesThatMention, type FoundProcess } from './processes.ts';
import { restartablePostgres, type RestartablePostgres } from './restartable-postgres.ts';

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const WEBHOOK_SECRET = 'fake-webhook-secret-of-the-tests';
const FORGE_TOKEN = 'fake-forge-token-of-the-tests';
/** The discard service, which no machine runs any more. */
const NOBODYS_PORT = 9;
/** The check that branch protection would require. */
const GATE = 'delta-ci';
/** Several lost attempts in a row, each after its lease ran out, on a machine that is busy with other tests. */
const RUN_DEADLINE_MS = 60_000;

/** The protocol's timings, forty times faster. */
const QUICK: Readonly<Record<string, string>> = {
  DELTA_LOG_LEVEL: 'info',
  DELTA_LEASE_TTL_MS: '3000',
  DELTA_HEARTBEAT_MS: '500',
  DELTA_HEARTBEAT_JITTER_MS: '500',
  DELTA_LEASE_ACCEPTANCE_MS: '2000',
  DELTA_CANCEL_DEADLINE_MS: '3000',
  DELTA_SWEEP_INTERVAL_MS: '200',
  DELTA_REDRIVE_AFTER_MS: '1000',
  DELTA_DISPATCH_VISIBILITY_MS: '4000',
  DELTA_DECISION_INTERVAL_MS: '500',
  DELTA_RUNNERS_MAX: '3',
};

export interface TestMeshOptions {
  /** Full name on the forge, e.g. `demo/shop`. Each is made with a commit of a README on `main`. */
  repositories: readonly string[];
  /** Only these; all of them when left out. */
  services?: readonly ServiceName[];
  /** A Postgres of its own that the test may end; else a database on the server of the test session. */
  ownPostgres?: boolean;
  /** What services get in place of timings forty times faster than the protocol's. */
  env?: Readonly<Record<string, string>>;
}

/** A pushed commit and the run its delivery led to. */
export interface PushedChange {
  commit: Commit;
  delivery: Delivery;
  runId: string;
}

/** The whole system on real servers, a forge, and hands to use and to hurt them. */
export class TestMesh {
  readonly mesh: Mesh;
  readonly forge: FakeForge;
  readonly api: MeshApi;
  readonly nats: FreshNats;
  readonly postgres: RestartablePostgres | null;
  readonly #held: HeldJobs;
  readonly #developers: ReadonlyMap<string, DeveloperClone>;
  readonly #undo: (() => Promise<unknown>)[];

  constructor(
    parts: Pick<TestMesh, 'mesh' | 'forge' | 'nats' | 'postgres'> & {
      held: HeldJobs;
      developers: ReadonlyMap<string, DeveloperClone>;
      undo: (() => Promise<unknown>)[];
    },
  ) {
    this.mesh = parts.mesh;
    this.forge = parts.forge;
    this.nats = parts.nats;
    this.postgres = parts.postgres;
    this.api = new MeshApi(parts.mesh.gatewayUrl, parts.mesh.adminToken);
    this.#held = parts.held;
    this.#developers = parts.developers;
    this.#undo = parts.undo;
  }

  hold(name: string): HeldJob {
    return this.#held.hold(name);
  }

  async push(repository: string, message: string, files: FileChanges, branch = 'main'): Promise<Commit> {
    const developer = this.#developers.get(repository);
    if (developer === undefined) throw new Error(`no repository ${repository} in this mesh`);
    return developer.push(branch, message, files);
  }

  async deliver(delivery: Delivery, secret = WEBHOOK_SECRET): Promise<DeliveryAnswer> {
    return deliver(`${this.mesh.gatewayUrl}/api/v1/webhooks/github`, secret, delivery);
  }

  /** Delivers as a forge does: again with the same id until somebody is there to take it. */
  async runFor(delivery: Delivery): Promise<string> {
    const answer = await eventually('the gateway takes the delivery', async () => {
      const given = await this.deliver(delivery);
      return given.status < 500 && given;
    });
    if (answer.status !== 202) throw new Error(`HTTP ${answer.status}: ${JSON.stringify(answer.body)}`);
    return (answer.body as { runId: string }).runId;
  }

  /** Pushes, delivers the signed webhook, and answers with the run. */
  async change(repository: string, message: string, files: FileChanges, branch = 'main'): Promise<PushedChange> {
    const commit = await this.push(repository, message, files, branch);
    const delivery = pushDelivery(repository, this.forge.cloneUrl(repository), commit);
    return { commit, delivery, runId: await this.runFor(delivery) };
  }

  /** The run once a condition holds for it; meanwhile the gateway may be away. */
  async runWhen(what: string, runId: string, holds: (view: RunView) => boolean): Promise<RunView> {
    let last: RunView | null = null;
    try {
      return await eventually(
        `run ${runId} ${what}`,
        async () => {
          last = await this.api.run(runId);
          return holds(last) && last;
        },
        { deadline_ms: RUN_DEADLINE_MS },
      );
    } catch (error) {
      throw new Error(`${String(error)}; last seen: ${JSON.stringify(last)}`, { cause: error });
    }
  }

  /** Finished, explained and shown by the forge. */
  async settled(runId: string): Promise<RunView> {
    return this.runWhen('is finished, explained and reported', runId, isSettled);
  }

  async jobRuns(runId: string, jobKey: string): Promise<RunView> {
    return this.runWhen(`has ${jobKey} running`, runId, ({ jobs }) =>
      jobs.some(({ key, attempts }) => key === jobKey && attempts.at(-1)?.state === 'running'),
    );
  }

  checks(repository: string, commit: string): CheckRun[] {
    return this.forge.checkRuns(repository, commit);
  }

  gate(repository: string, commit: string): CheckRun | undefined {
    return this.checks(repository, commit).find(({ name }) => name === GATE);
  }

  /** The process of the runner that has the job's newest attempt. */
  async runnerOf(runId: string, jobKey: string): Promise<FoundProcess> {
    const { jobs } = await this.api.run(runId);
    const runnerId = jobs.find(({ key }) => key === jobKey)?.attempts.at(-1)?.runnerId;
    const name = await this.ask<{ name: string }>('SELECT name FROM runner WHERE runner_id = $1', [runnerId]);
    const found = processesThatMention(`DELTA_RUNNER_NAME=${name[0]?.name ?? 'nobody'}`).find(({ commandLine }) =>
      commandLine.includes(join('apps', 'runner', 'dist', 'main.js')),
    );
    if (found === undefined) throw new Error(`no process of runner ${runnerId ?? 'nobody'}`);
    return found;
  }

  async ask<Row extends object>(query: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.mesh.adminDatabaseUrl });
    await client.connect();
    try {
      return (await client.query<Row>(query, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  /**
   * The end of a test file: what is broken in the quiet mesh, and what processes (services, runners, sandboxes) it leaves
   * behind. Everything is stopped whatever comes out.
   *
   * @throws naming everything that is not as it should be
   */
  async finish({ reported = true } = {}): Promise<void> {
    try {
      const broken = await brokenInvariants(this.mesh.adminDatabaseUrl, { reported });
      await this.mesh.stop();
      const left = await eventually('no process of the mesh is left', () => this.#processes().length === 0).then(
        () => [],
        () => this.#processes().map(({ commandLine }) => `left behind: ${commandLine}`),
      );
      const problems = [...broken, ...left];
      if (problems.length > 0) throw new Error(`the mesh did not end well:\n${problems.join('\n')}`);
    } finally {
      await this.stop();
    }
  }

  #processes(): FoundProcess[] {
    return processesThatMention(this.mesh.directory);
  }

  async stop(): Promise<void> {
    await undoAll(this.#undo);
  }
}

/** Brings it up; what was started is stopped if that fails. */
export async function startTestMesh(options: TestMeshOptions): Promise<TestMesh> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    return await bringUp(options, undo);
  } catch (error) {
    await undoAll(undo);
    throw error;
  }
}

async function bringUp(options: TestMeshOptions, undo: (() => Promise<unknown>)[]): Promise<TestMesh> {
  const directory = mkdtempSync(join(tmpdir(), 'delta-mesh-'));
  chmodSync(directory, 0o755);
  undo.push(async () => rmSync(directory, { recursive: true, force: true }));
  const forge = await FakeForge.start({ directory: join(directory, 'forge'), token: FORGE_TOKEN });
  undo.push(async () => forge.close());
  const developers = await developersOf(options.repositories, forge, undo);
  const nats = await freshNats();
  undo.push(async () => nats.remove());
  const postgres = options.ownPostgres === true ? await restartablePostgres(ROOT, directory) : null;
  const held = new HeldJobs(join(directory, 'held'));
  if (postgres !== null) undo.push(async () => postgres.stop());
  const mesh = await startMesh({
    root: ROOT,
    directory: join(directory, 'mesh'),
    postgres: { url: postgres?.url ?? (await databaseUrl(undo)) },
    nats: { url: nats.url },
    gatewayPort: await freeLoopbackPort(),
    forgesFile: writeForgeSettings(join(directory, 'settings'), forge, options.repositories),
    bubblewrapPath: await bubblewrapPath(),
    isolation: 'sandbox',
    toolchainDirs: [...toolchainDirs(process.env['PATH'] ?? ''), held.directory],
    ephemeral: true,
    env: options.env ?? QUICK,
    ...(options.services === undefined ? {} : { services: options.services }),
  });
  undo.push(async () => mesh.stop());
  return new TestMesh({ mesh, forge, nats, postgres, held, developers, undo });
}

async function databaseUrl(undo: (() => Promise<unknown>)[]): Promise<string> {
  const database = await freshDatabase();
  undo.push(async () => database.drop());
  return database.adminUrl;
}

async function developersOf(
  repositories: readonly string[],
  forge: FakeForge,
  undo: (() => Promise<unknown>)[],
): Promise<ReadonlyMap<string, DeveloperClone>> {
  const developers = new Map<string, DeveloperClone>();
  for (const name of repositories) {
    const developer = await DeveloperClone.create(forge.barePath(name), forge.cloneUrl(name));
    undo.push(async () => developer.remove());
    await developer.push('main', 'first', { 'README.md': `# ${name}\n` });
    developers.set(name, developer);
  }
  return developers;
}

/** The repositories, one more that the forge does not have, and one of a host where nobody answers. */
function writeForgeSettings(directory: string, forge: FakeForge, repositories: readonly string[]): string {
  mkdirSync(directory, { mode: 0o700 });
  writeFileSync(join(directory, 'webhook'), WEBHOOK_SECRET, { mode: 0o600 });
  writeFileSync(join(directory, 'token'), FORGE_TOKEN, { mode: 0o600 });
  const settings = {
    kind: 'github',
    name: 'github',
    apiUrl: forge.apiUrl,
    webhookSecret: { file: 'webhook' },
    token: { file: 'token' },
    cloneProtocols: ['http'],
    allowPrivateAddresses: true,
    repositories: [
      ...[...repositories, 'gone/away'].map((name) => servedAs(name, forge.cloneUrl(name))),
      servedAs('cut/off', `http://127.0.0.1:${NOBODYS_PORT}/cut/off.git`),
    ],
  };
  const file = join(directory, 'forges.json');
  writeFileSync(file, JSON.stringify({ forges: [settings] }));
  return file;
}

const servedAs = (name: string, cloneUrl: string): object => ({
  id: `github/${name}`,
  cloneUrl,
  defaultBranch: 'main',
});

function isSettled(view: RunView): boolean {
  const failed = view.jobs.flatMap(({ attempts }) => attempts.filter(({ outcome }) => outcome === 'failed'));
  return view.state === 'finished' && view.reported && failed.every(({ explanation }) => explanation !== null);
}

/** All of them, in reverse order, whatever happens; the first trouble is told at the end. */
async function undoAll(undo: (() => Promise<unknown>)[]): Promise<void> {
  const troubles: unknown[] = [];
  for (const step of undo.splice(0).reverse()) await step().catch((error: unknown) => troubles.push(error));
  if (troubles.length > 0) throw troubles[0];
}
