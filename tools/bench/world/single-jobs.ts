import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { IsolationTier, Plan } from '@delta-ci/contracts';
import { serveGit } from '../../../test/support/git-server/git-http-server.ts';
import { eventually } from '../../../test/support/infra/eventually.ts';
import { aChange } from '../../../test/support/made-up/change.ts';
import { aPlan } from '../../../test/support/made-up/plan.ts';
import { aPlannedJob } from '../../../test/support/made-up/planned-job.ts';
import { aRepository } from '../../../test/support/made-up/repository.ts';
import { NODE_FLAGS } from '../../mesh/service-process.ts';
import type { Scene } from '../scene.ts';
import { api, controlPlane, ROOT, type ControlPlane } from './control-plane.ts';
import { timesOf } from './log-times.ts';
import { commitFiles, type Files } from './made-history.ts';

const NAME = 'bench/single';
const ID = `github/${NAME}`;
/** A runner that has registered asks for work, makes ready what it can, and the machine comes to rest. */
const REST_MS = 700;
/** Longer than any job of a measure takes. */
const LIMIT = { deadline_ms: 120_000 };

/** How one job is carried out. */
export interface SingleJob {
  readonly tier: IsolationTier;
  readonly script: string;
  /** Whether a runner waits for it; otherwise one is started when it is queued. */
  readonly warm: boolean;
}

/** What is known of a job that was carried out. Times are of one clock, in milliseconds. */
export interface CarriedOut {
  readonly grantedAtMs: number;
  readonly finishedAtMs: number;
  readonly log: string;
  /** Processor time of the runner's own process, in its whole life. */
  readonly runnerCpuMs: number;
}

/** Jobs one at a time, each by a runner of its own, through the whole protocol and from a source that has to be fetched. */
export interface SingleJobs {
  readonly carryOut: (job: SingleJob) => Promise<CarriedOut>;
}

/**
 * @param files of the commit that jobs are run on
 * @param programs settings of runners that name programs and engines, by their variables
 */
export async function singleJobs(
  scene: Scene,
  files: Files,
  programs: Readonly<Record<string, string>>,
): Promise<SingleJobs> {
  const root = await scene.directory('forge');
  const bare = join(root, `${NAME}.git`);
  await mkdir(bare, { recursive: true });
  const { commit, tree } = commitFiles(bare, files);
  const server = await scene.open(
    async () => serveGit(root),
    async (serving) => serving.close(),
  );
  const cloneUrl = `${server.url}/${NAME}.git`;
  const plane = await controlPlane(scene, { repository: { id: ID, cloneUrl, defaultBranch: 'main' } });
  const planFor = ({ tier, script }: SingleJob): Plan => {
    const requirements = { pool: 'default', os: 'linux' as const, isolation: tier, toolchains: [], labels: [] };
    return aPlan({
      repository: aRepository({ id: ID, fullName: NAME, cloneUrl }),
      change: aChange({ kind: 'manual', head: commit }),
      tree,
      jobs: [aPlannedJob('only', { steps: [{ name: 'only', run: script, workdir: '.' }], requirements })],
    });
  };
  const directory = await scene.directory('runners');
  let started = 0;
  return {
    carryOut: async (job) =>
      scene.part(async (part) => {
        started += 1;
        const runner = { part, plane, tier: job.tier, directory: join(directory, String(started)), programs };
        const early = job.warm ? await startRunner(runner) : null;
        if (early !== null) await pause(REST_MS);
        const runId = await plane.queuePlan(planFor(job));
        const { ended, usageFile } = early ?? (await startRunner(runner));
        const finished = async (): Promise<boolean> => (await plane.runState(runId)).state === 'finished';
        await eventually('the job is carried out', finished, LIMIT);
        await ended;
        const { outcome } = await plane.runState(runId);
        const log = await (await api(plane.mesh, `/runs/${runId}/jobs/only/log`)).text();
        if (outcome !== 'succeeded') throw new Error(`the job in tier ${job.tier} ${outcome}: ${log.slice(-1_000)}`);
        const times = await timesOf(plane.mesh.adminDatabaseUrl, runId, ['lease.granted', 'attempt.finished']);
        return {
          grantedAtMs: times['lease.granted'] ?? Number.NaN,
          finishedAtMs: times['attempt.finished'] ?? Number.NaN,
          log,
          runnerCpuMs: Number(readFileSync(usageFile, 'utf8')) / 1_000,
        };
      }),
  };
}

/** Has a process say at its end how many microseconds of processor time it used, without those of its children. */
const TELL_USAGE = `--import=data:text/javascript,import{writeFileSync}from"node:fs";process.on("exit",()=>{const{user,system}=process.cpuUsage();writeFileSync(process.env.BENCH_USAGE_FILE,String(user+system))})`;

interface RunnerPlace {
  readonly part: Scene;
  readonly plane: ControlPlane;
  readonly tier: IsolationTier;
  readonly directory: string;
  readonly programs: Readonly<Record<string, string>>;
}

/** Starts one as its controller does; resolves when it has registered. */
async function startRunner({ part, plane, tier, directory, programs }: RunnerPlace) {
  await mkdir(directory, { mode: 0o711 });
  const usageFile = join(directory, 'usage');
  const { gatewayUrl, registrationToken } = plane.mesh;
  const entry = join(ROOT, 'apps', 'runner', 'dist', 'main.js');
  const child = await part.open<ChildProcess>(
    () =>
      spawn(process.execPath, [...NODE_FLAGS, TELL_USAGE, entry], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        env: {
          PATH: process.env['PATH'],
          TMPDIR: process.env['TMPDIR'],
          DELTA_GATEWAY_URL: gatewayUrl,
          DELTA_REGISTRATION_TOKEN: registrationToken,
          DELTA_DATA_DIR: directory,
          DELTA_ISOLATION: tier,
          DELTA_CLONE_PROTOCOLS: 'http',
          DELTA_LOG_LEVEL: 'error',
          BENCH_USAGE_FILE: usageFile,
          ...programs,
        },
      }),
    async (running) => {
      if (running.exitCode !== null || running.signalCode !== null) return;
      const gone = once(running, 'exit');
      running.kill('SIGTERM');
      await gone;
    },
  );
  const ended = once(child, 'exit');
  const failed = ended.then(([code]) => Promise.reject(new Error(`a runner ended with ${String(code)}`)));
  await Promise.race([once(child, 'message'), failed]);
  failed.catch(() => undefined);
  return { ended, usageFile };
}
