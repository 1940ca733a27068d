import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CompletionReport, LeaseOffer } from '@delta-ci/contracts';
import type { Judgement } from '../judgement.ts';
import { exchangeText, type HeardCall } from './calls.ts';
import type { MadeLease } from './lease-book.ts';
import { PlayedGateway } from './played-gateway.ts';
import type { RunnerRequirement } from './requirements.ts';
import { endingText, RunnerProcess } from './runner-process.ts';
import type { ServedSource } from './served-source.ts';

/** One situation that a runner is put into. Every scene starts a runner of its own. */
export interface Scene {
  readonly name: string;
  /** What it is for; requirements that hold of every request are looked at in all scenes. */
  readonly judges: readonly RunnerRequirement[];
  /** What the runner is offered; null for nothing. */
  readonly lease: (source: ServedSource) => MadeLease | null;
  readonly play: (stage: Stage) => Promise<void>;
}

/** How the runner under test is started. */
export interface RunnerCommand {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** How long a scene waits for what has to come. */
  readonly patienceMs: number;
}

/** Whoever is told to end, or has reported, has so long to be gone. */
const GONE_MS = 20_000;
/** Last words under a lease that is over come within this, if they come. */
const LAST_WORDS_MS = 700;

/** A played gateway, the runner under test, and what is seen of the two. */
export class Stage {
  readonly gateway: PlayedGateway;
  readonly runner: RunnerProcess;
  readonly source: ServedSource;
  readonly #scene: Scene;
  readonly #judgement: Judgement<RunnerRequirement>;
  readonly #patienceMs: number;
  readonly #directory: string;
  readonly #judged = new Set<RunnerRequirement>();
  #unreported = false;

  private constructor(
    scene: Scene,
    judgement: Judgement<RunnerRequirement>,
    parts: {
      gateway: PlayedGateway;
      runner: RunnerProcess;
      source: ServedSource;
      directory: string;
      patienceMs: number;
    },
  ) {
    this.#scene = scene;
    this.#judgement = judgement;
    this.gateway = parts.gateway;
    this.runner = parts.runner;
    this.source = parts.source;
    this.#directory = parts.directory;
    this.#patienceMs = parts.patienceMs;
  }

  static async set(
    scene: Scene,
    judgement: Judgement<RunnerRequirement>,
    source: ServedSource,
    { command, cwd, env, patienceMs }: RunnerCommand,
  ): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), 'delta-conformance-runner-'));
    const gateway = await PlayedGateway.open(scene.lease(source));
    const told = {
      DELTA_GATEWAY_URL: gateway.url,
      DELTA_REGISTRATION_TOKEN: gateway.registrationToken,
      DELTA_POOL: POOL,
      DELTA_RUNNER_NAME: 'conformance',
      DELTA_DATA_DIR: directory,
    };
    const filledIn = command.map((word) =>
      word.replace(/\{(DELTA_[A-Z_]+)\}/g, (whole, name: string) => (told as Record<string, string>)[name] ?? whole),
    );
    const runner = new RunnerProcess(filledIn, { ...env, ...told }, cwd, () => gateway.changed());
    return new Stage(scene, judgement, { gateway, runner, source, directory, patienceMs });
  }

  /** What is offered. @throws Error in a scene that offers nothing */
  get offer(): LeaseOffer {
    const { lease } = this.gateway.book;
    if (lease === null) throw new Error(`scene ${this.#scene.name} offers nothing`);
    return lease.offer;
  }

  /** Waits until a condition holds, the runner has ended, or patience is over. @returns whether it holds */
  async until(condition: () => boolean): Promise<boolean> {
    await this.gateway.until(() => condition() || this.runner.ending !== null, this.#patienceMs);
    return condition();
  }

  /** A while in which nothing is waited for. */
  async pass(ms: number): Promise<void> {
    await this.gateway.until(() => false, ms);
  }

  /** The report that was taken, once its answer is out; null when none came, which fails `completes`. */
  async report(): Promise<CompletionReport | null> {
    const reported = (): boolean => this.gateway.book.report !== null && this.reports().some(wasTaken);
    const came = await this.until(reported);
    if (!came) {
      const expected = 'a report (complete) of the job that was offered';
      this.#unreported = true;
      this.judge('completes', false, expected, `none came; ${this.state()}`, this.gateway.heard);
      return null;
    }
    return this.gateway.book.report as CompletionReport;
  }

  reports(): readonly HeardCall[] {
    return this.gateway.calls('completeAttempt', 'acknowledgeCancel');
  }

  judge(
    id: RunnerRequirement,
    holds: boolean,
    expected: string,
    seen: string | (() => string),
    calls: readonly HeardCall[] = [],
  ): void {
    this.#judged.add(id);
    const told = holds ? '' : typeof seen === 'string' ? seen : seen();
    const exchange = holds ? [] : calls.map((call) => exchangeText(call, this.gateway.startedAtMs));
    this.#judgement.note(this.#scene.name, { id, holds, expected, seen: told, exchange });
  }

  skip(id: RunnerRequirement, why: string): void {
    this.#judgement.skip(id, why);
  }

  /** What the scene is for and did not come to: of a runner that said nothing, or did not report, it is the fault. */
  judgeTheRest(): void {
    for (const id of this.#scene.judges.filter((each) => !this.#judged.has(each))) {
      const why = `nothing of it came about; ${this.state()}`;
      if (this.#unreported || this.gateway.heard.length === 0)
        this.judge(id, false, 'that it comes about', why, this.gateway.heard.slice(-4));
      else this.skip(id, why);
    }
  }

  /** What the runner has printed and whether it lives: for whoever wonders why nothing came. */
  state(): string {
    const { ending, output, startProblem } = this.runner;
    const printed = output.trim() === '' ? 'it printed nothing' : `it printed last:\n${output.trim().slice(-600)}`;
    return startProblem ?? `${endingText(ending)}; ${printed}`;
  }

  /** Waits for last words and has the runner end. @returns whether it did, by itself or when it was told */
  async end(): Promise<boolean> {
    await this.pass(LAST_WORDS_MS);
    this.runner.terminate();
    return this.gone();
  }

  async gone(): Promise<boolean> {
    return this.gateway.until(() => this.runner.ending !== null, GONE_MS);
  }

  /** Puts everything away. */
  async clear(): Promise<void> {
    this.runner.destroy();
    await this.gateway.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export const POOL = 'conformance';

const wasTaken = ({ answer }: HeardCall): boolean => answer !== null && answer !== 'cut' && answer.status < 300;
