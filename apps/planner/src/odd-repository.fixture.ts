import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_RUN_POLICY, type Change, type Plan } from '@delta-ci/contracts';
import type { ForgeSettings } from '@delta-ci/forge';
import { Git } from '@delta-ci/git';
import { DEFAULT_PLANNING_RULES, planChange } from '@delta-ci/planning';
import { serveGit, type GitHttpServer } from '../../../test/support/git-server/git-http-server.ts';
import { makeBareRepository, makeHistory, type MadeCommit } from '../../../test/support/git-server/made-history.ts';
import { aChange } from '../../../test/support/made-up/change.ts';
import { aRepository } from '../../../test/support/made-up/repository.ts';
import { readChange } from './read-change.ts';
import { ReadingMemory } from './reading-memory.ts';
import { ServedMirrors } from './served-mirrors.ts';

/** Real repositories on a real git server, planned the way the planner does: fetched, read, and planned. */
export class OddRepositories {
  readonly #root: string;
  readonly #server: GitHttpServer;
  #made = 0;

  private constructor(root: string, server: GitHttpServer) {
    this.#root = root;
    this.#server = server;
  }

  static async open(): Promise<OddRepositories> {
    const root = await mkdtemp(join(tmpdir(), 'delta-odd-'));
    return new OddRepositories(root, await serveGit(join(root, 'served')));
  }

  /** A repository with these commits. */
  async of(commits: readonly MadeCommit[]): Promise<OddRepository> {
    const repository = await this.empty();
    await repository.add(commits);
    return repository;
  }

  async empty(): Promise<OddRepository> {
    this.#made += 1;
    const name = `odd/number-${this.#made}.git`;
    const gitDir = join(this.#root, 'served', name);
    await makeBareRepository(gitDir);
    return this.at(gitDir, `${this.#server.url}/${name}`);
  }

  /** Where another repository can be put, to be served under the same name. */
  private at(gitDir: string, cloneUrl: string): OddRepository {
    return new OddRepository(gitDir, cloneUrl, join(this.#root, `mirrors-${this.#made}`));
  }

  async close(): Promise<void> {
    await this.#server.close();
    await rm(this.#root, { recursive: true, force: true });
  }
}

const REPOSITORY = 'github/demo/odd';

export class OddRepository {
  readonly gitDir: string;
  /** Ids of the commits, in the order in which they were made. */
  readonly commits: string[] = [];
  readonly #mirrors: ServedMirrors;
  readonly #memory = new ReadingMemory();

  constructor(gitDir: string, cloneUrl: string, mirrorDir: string) {
    this.gitDir = gitDir;
    const forge: ForgeSettings = {
      kind: 'github',
      name: 'github',
      apiUrl: 'http://127.0.0.1:9',
      webhookSecret: 'not-a-secret-0123456789',
      token: null,
      cloneProtocols: ['http'],
      allowPrivateAddresses: true,
      repositories: [{ id: REPOSITORY, cloneUrl, defaultBranch: 'main' }],
      sourceTokens: new Map(),
    };
    this.#mirrors = new ServedMirrors(new Git({ environment: { PATH: process.env['PATH'] } }), mirrorDir, [forge]);
  }

  async add(commits: readonly MadeCommit[]): Promise<void> {
    this.commits.push(...(await makeHistory(this.gitDir, commits)));
  }

  /** The plan of a change; a failure is thrown by its name. */
  async plan(change: Partial<Change> & Pick<Change, 'head'>): Promise<Plan> {
    const whole = aChange({ base: null, ...change });
    const signal = AbortSignal.timeout(60_000);
    const read = await this.#mirrors.borrow(REPOSITORY, signal, async (borrowed) =>
      readChange({ ...borrowed, repository: REPOSITORY, memory: this.#memory, signal }, whole),
    );
    if (read.kind === 'failed') throw new Error(`${read.code}: ${read.message}`);
    const planned = planChange({
      repository: aRepository({ id: REPOSITORY }),
      change: whole,
      commit: whole.head,
      ...read.value,
      policy: DEFAULT_RUN_POLICY,
      rules: DEFAULT_PLANNING_RULES,
      recipe: null,
      durations: null,
      shadow: null,
      rerun: null,
    });
    if (!planned.ok) throw new Error(`${planned.code}: ${planned.message}`);
    return planned.plan;
  }

  /** The plan from one of the made commits to another. */
  async between(base: number, head: number, change: Partial<Change> = {}): Promise<Plan> {
    return this.plan({ base: this.commits[base] ?? '', head: this.commits[head] ?? '', ...change });
  }
}

/** Ids of the units that a plan calls affected. */
export function affectedBy(plan: Plan): string[] {
  return plan.units.filter(({ affected }) => affected).map(({ id }) => id);
}

/** What a plan says about the one file that changed, or about the one named. */
export function toldOf(plan: Plan, path?: string): string {
  const files = plan.files.filter((file) => path === undefined || file.path === path);
  return files.map(({ rule, sentence }) => `${rule}: ${sentence}`).join('\n');
}
