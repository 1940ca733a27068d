import { join } from 'node:path';
import type { RunView } from '@delta-ci/contracts';
import pg from 'pg';
import type { Mesh } from '../../../tools/mesh/mesh.ts';
import { judgeLog } from '../../faults/checker/judge-log.ts';
import type { FakeForge } from '../fake-forge/fake-forge.ts';
import type { CheckRun } from '../fake-forge/github-checks.ts';
import { deliver, pushDelivery, type Delivery, type DeliveryAnswer } from '../fake-forge/webhook-deliveries.ts';
import type { Commit, DeveloperClone, FileChanges } from '../git-server/bare-repository.ts';
import { eventually, type FreshNats } from '../infra/index.ts';
import type { EffectLedger } from './effect-ledger.ts';
import type { HeldJob, HeldJobs } from './held-jobs.ts';
import { MeshApi } from './mesh-api.ts';
import { processesThatMention, type FoundProcess } from './processes.ts';
import type { RestartablePostgres } from './restartable-postgres.ts';

/** What the forge of a test and its mesh know of each other. */
export const FORGE_SECRETS = {
  webhook: 'fake-webhook-secret-of-the-tests',
  token: 'fake-forge-token-of-the-tests',
} as const;
/** The check that branch protection would require. */
const GATE = 'delta-ci';
/** Several lost attempts in a row, each after its lease ran out, on a machine that is busy with other tests. */
const RUN_DEADLINE_MS = 60_000;
/** How late on top of its timings a mesh may be whose servers and services a test kills, on a busy machine. */
const SLACK_MS = 60_000;

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
  readonly effects: EffectLedger;
  readonly #held: HeldJobs;
  readonly #developers: ReadonlyMap<string, DeveloperClone>;
  readonly #undo: (() => Promise<unknown>)[];

  constructor(
    parts: Pick<TestMesh, 'mesh' | 'forge' | 'nats' | 'postgres' | 'effects'> & {
      held: HeldJobs;
      developers: ReadonlyMap<string, DeveloperClone>;
      undo: (() => Promise<unknown>)[];
    },
  ) {
    this.mesh = parts.mesh;
    this.forge = parts.forge;
    this.nats = parts.nats;
    this.postgres = parts.postgres;
    this.effects = parts.effects;
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

  async deliver(delivery: Delivery, secret: string = FORGE_SECRETS.webhook): Promise<DeliveryAnswer> {
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
      const { findings } = await judgeLog(this.mesh.adminDatabaseUrl, { bounds: { slackMs: SLACK_MS }, reported });
      const broken = findings.flatMap(({ id, violations }) => violations.map((violation) => `${id}: ${violation}`));
      const problems = [...broken, ...(await this.endProcesses())];
      if (problems.length > 0) throw new Error(`the mesh did not end well:\n${problems.join('\n')}`);
    } finally {
      await this.stop();
    }
  }

  /** Stops services, runners and what they run. @returns what is left of them all the same, in words */
  async endProcesses(): Promise<string[]> {
    await this.mesh.stop();
    return eventually('no process of the mesh is left', () => this.#processes().length === 0).then(
      () => [],
      () => this.#processes().map(({ commandLine }) => `left behind: ${commandLine}`),
    );
  }

  #processes(): FoundProcess[] {
    return processesThatMention(this.mesh.directory);
  }

  async stop(): Promise<void> {
    await undoAll(this.#undo);
  }
}

function isSettled(view: RunView): boolean {
  const failed = view.jobs.flatMap(({ attempts }) => attempts.filter(({ outcome }) => outcome === 'failed'));
  return view.state === 'finished' && view.reported && failed.every(({ explanation }) => explanation !== null);
}

/** All of them, in reverse order, whatever happens; the first trouble is told at the end. */
export async function undoAll(undo: (() => Promise<unknown>)[]): Promise<void> {
  const troubles: unknown[] = [];
  for (const step of undo.splice(0).reverse()) await step().catch((error: unknown) => troubles.push(error));
  if (troubles.length > 0) throw troubles[0];
}
