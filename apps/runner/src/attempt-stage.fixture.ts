import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LeaseOffer, PlannedJob } from '@delta-ci/contracts';
import { Git } from '@delta-ci/git';
import { ProcessExecutor, type SandboxExecutor } from '@delta-ci/sandbox';
import { createLogger, createRedactor } from '@delta-ci/service';
import { DeveloperClone, git } from '../../../test/support/git-server/bare-repository.ts';
import { aPlannedJob } from '../../../test/support/made-up/planned-job.ts';
import { carryOutAttempt } from './attempt.ts';
import { GatewayClient } from './gateway-client.ts';
import type { EgressTerms } from './job-network.ts';
import { jobDirectoryIn } from './job-directory.ts';
import { Leavings } from './leavings.ts';
import { RunnerToken } from './runner-token.ts';
import { SmallGateway } from './small-gateway.fixture.ts';

const TTL_MS = 60_000;
const RUNNER = `rnr_${'1'.repeat(32)}`;
const TOKEN = { runnerId: RUNNER, token: 'fake-runner-token', tokenExpiresAtMs: Number.MAX_SAFE_INTEGER };

/** A repository with one file, `widget.txt`, which says that it turns. For all attempts of a spec. */
export class WidgetSource {
  /** A directory of the spec; the repository is `widgets.git` in it. */
  readonly place: string;
  readonly access: LeaseOffer['source'];

  private constructor(place: string, access: LeaseOffer['source']) {
    this.place = place;
    this.access = access;
  }

  static async make(): Promise<WidgetSource> {
    const place = await mkdtemp(join(tmpdir(), 'delta-attempt-'));
    const barePath = join(place, 'widgets.git');
    const developer = await DeveloperClone.create(barePath, barePath);
    const { after } = await developer.push('main', 'widgets', { 'widget.txt': 'turns\n' });
    const tree = await git(developer.directory, 'rev-parse', 'HEAD^{tree}');
    await developer.remove();
    const ref = 'refs/heads/main';
    return new WidgetSource(place, { cloneUrl: `file://${barePath}`, ref, commit: after, tree, token: null });
  }

  async remove(): Promise<void> {
    await rm(this.place, { recursive: true, force: true });
  }
}

/** What one test has an attempt carried out with: a gateway that hears of it, and a directory for work. */
export class AttemptStage {
  readonly gateway: SmallGateway;
  readonly workDir: string;
  /** Aborted to have the runner end. */
  readonly stopping = new AbortController();
  readonly #source: WidgetSource;

  private constructor(source: WidgetSource, gateway: SmallGateway, workDir: string) {
    this.#source = source;
    this.gateway = gateway;
    this.workDir = workDir;
  }

  static async open(source: WidgetSource): Promise<AttemptStage> {
    const gateway = await SmallGateway.open(TTL_MS);
    return new AttemptStage(source, gateway, await mkdtemp(join(source.place, 'work-')));
  }

  async close(): Promise<void> {
    await this.gateway.close();
  }

  /** A step that says `untilTold` goes on when this file is there, so that a test decides when. */
  get goFile(): string {
    return `${this.workDir}.go`;
  }

  get untilTold(): string {
    return `while [ ! -e '${this.goFile}' ]; do sleep 0.02; done`;
  }

  offer(run: string, over: Partial<LeaseOffer> = {}, job: Partial<PlannedJob> = {}): LeaseOffer {
    return {
      leaseId: '5'.repeat(64),
      runId: `run_${'2'.repeat(32)}`,
      jobKey: 'unit',
      attempt: 1,
      fence: 1,
      ttlMs: TTL_MS,
      heartbeatMs: 20,
      acceptanceMs: TTL_MS,
      maxRuntimeMs: 60_000,
      trust: 'trusted',
      job: aPlannedJob('unit', { steps: [{ name: 'test', run, workdir: '.' }], ...job }),
      source: this.#source.access,
      secrets: {},
      traceparent: null,
      ...over,
    };
  }

  asMyself(): SandboxExecutor {
    return new ProcessExecutor({ stateDir: join(this.workDir, 'sandboxes'), killGraceMs: 500 });
  }

  async carryOut(
    lease: LeaseOffer,
    executor: SandboxExecutor = this.asMyself(),
    egress: EgressTerms['mode'] = 'none',
  ): Promise<void> {
    const ports = {
      renew: async () => Promise.reject(new Error('not renewed in these specs')),
      onRenewed: () => undefined,
      dateMs: Date.now,
      elapsedMs: () => performance.now(),
    };
    const logger = createLogger({
      service: 'runner',
      instance: 'spec',
      level: 'fatal',
      pretty: false,
      redactor: createRedactor(),
    });
    return carryOutAttempt(lease, {
      executor,
      git: new Git({ environment: process.env }),
      client: new GatewayClient(this.gateway.url),
      token: new RunnerToken(TOKEN, ports),
      logger,
      leavings: new Leavings(jobDirectoryIn(this.workDir), logger),
      sources: { protocols: ['file', 'http'], hosts: [], lfsCache: null, packCache: null },
      toolchainDirs: [],
      egress: { mode: egress, allow: ['*'], ranges: [], upstream: null, resolve: async () => [] },
      nowMs: Date.now,
      stopping: this.stopping.signal,
    });
  }
}
