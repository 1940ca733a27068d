import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  BubblewrapExecutor,
  ContainerExecutor,
  GvisorExecutor,
  ProcessExecutor,
  runJob,
  standBy,
  type JobSource,
  type SandboxExecutor,
} from '@delta-ci/sandbox';
import { aPlannedJob } from '../../../test/support/made-up/planned-job.ts';
import { answeringSocket, ensureGvisor, openCache } from '../../bootstrap/index.mjs';
import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { median } from '../report/percentile.ts';
import { makeHistory } from '../world/made-history.ts';
import { needed } from '../world/servers.ts';

const SAMPLES = 20;
const WARMING_UP = 2;
const PACKAGES = 3;

/** A tier that works here, and what anybody would have to do for a step of its kind. */
interface Tier {
  readonly executor: SandboxExecutor;
  readonly raw: { readonly what: string; readonly command: readonly [string, ...string[]] };
}

export const jobOverhead: Measure = {
  name: 'job-overhead',
  what: 'what a runner adds to a job that runs `true`, before its step and after it, by tier, with a sandbox that stands by (warm) and without (cold); raw: the bare command in a sandbox of that kind',
  run: async (bench) => {
    const source = await sourceIn(bench);
    const figures: Figure[] = [];
    for (const tier of await tiersOf(bench)) {
      const { usable } = await tier.executor.probe();
      if (usable) figures.push(...(await overheadOf(bench, tier, source)));
      else bench.say(`left out: tier ${tier.executor.tier} does not work here`);
    }
    return figures;
  },
};

async function tiersOf({ scene, say }: Bench): Promise<Tier[]> {
  const bwrap = needed('DELTA_BWRAP');
  const place = { killGraceMs: 1_000, programDirs: (process.env['PATH'] ?? '').split(':') };
  const stateDir = async (): Promise<string> => scene.directory('sandboxes');
  const unshared = ['--unshare-all', '--die-with-parent', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev'];
  const tiers: Tier[] = [
    {
      executor: new ProcessExecutor({ ...place, stateDir: await stateDir() }),
      raw: { what: 'true', command: ['/bin/true'] },
    },
    {
      executor: new BubblewrapExecutor({ ...place, stateDir: await stateDir(), bwrap }),
      raw: { what: 'bwrap around true', command: [bwrap, ...unshared, '/bin/true'] },
    },
  ];
  const runsc = await ensureGvisor({ cacheDir: await openCache({ repoRoot: REPOSITORY }), say });
  if (runsc.path === null) say(`left out: tier gvisor, ${runsc.reason}`);
  else
    tiers.push({
      executor: new GvisorExecutor({ ...place, stateDir: await stateDir(), runsc: runsc.path }),
      raw: {
        what: 'runsc do true',
        command: [runsc.path, '--network=none', '--ignore-cgroups', 'do', '/bin/true'],
      },
    });
  const engineSocket = await answeringSocket();
  if (engineSocket === null) say('left out: tier container, no engine answers');
  else {
    const executor = new ContainerExecutor({ ...place, stateDir: await stateDir(), engineSocket, image: null });
    // Its probe makes the empty image that the bare command is run over.
    await executor.probe();
    const shown = ['/usr', '/lib', '/lib64'].flatMap((path) => ['-v', `${path}:${path}:ro`]);
    const run = ['run', '--rm', '--network=none', ...shown, 'delta-ci-empty:1', '/usr/bin/true'];
    tiers.push({
      executor,
      raw: { what: 'docker run true', command: ['docker', '-H', `unix://${engineSocket}`, ...run] },
    });
  }
  return tiers;
}

const REPOSITORY = join(import.meta.dirname, '../../..');

async function sourceIn({ scene }: Bench): Promise<JobSource> {
  const gitDir = await scene.directory('source');
  makeHistory(gitDir, PACKAGES, 1);
  const idOf = (name: string): string => execFileSync('git', ['rev-parse', name], { cwd: gitDir }).toString().trim();
  return { gitDir, commit: idOf('main'), tree: idOf('main^{tree}') };
}

/** Milliseconds of a job: until its step begins, and from the end of its step until nothing is left of it. */
interface Overhead {
  readonly beforeMs: number;
  readonly afterMs: number;
}

async function overheadOf(bench: Bench, { executor, raw }: Tier, source: JobSource): Promise<Figure[]> {
  const samples = amount(bench, SAMPLES) + WARMING_UP;
  const directory = await bench.scene.directory(`jobs-${executor.tier}`);
  const [cold, warm, bare]: [Overhead[], Overhead[], number[]] = [[], [], []];
  bench.say(`${samples} jobs in tier ${executor.tier}, cold and warm in turns`);
  for (let sample = 0; sample < samples; sample += 1) {
    cold.push(await oneJob(executor, directory, source, false));
    if (executor.standBy !== undefined) warm.push(await oneJob(executor, directory, source, true));
    bare.push(await timed(raw.command));
  }
  const limit = { what: raw.what, value: median(bare.slice(WARMING_UP)) };
  return (
    [
      ['cold', cold],
      ['warm', warm],
    ] as const
  ).flatMap(([kind, jobs]): Figure[] => {
    const kept = jobs.slice(WARMING_UP);
    if (kept.length === 0) return [];
    const name = `job-overhead.${executor.tier}-${kind}`;
    return [
      {
        name: `${name}-before`,
        value: median(kept.map(({ beforeMs }) => beforeMs)),
        unit: 'ms',
        raw: limit,
        note: 'opens the sandbox, checks out',
      },
      {
        name: `${name}-after`,
        value: median(kept.map(({ afterMs }) => afterMs)),
        unit: 'ms',
        raw: limit,
        note: 'until nothing is left of it',
      },
    ];
  });
}

async function oneJob(
  executor: SandboxExecutor,
  directory: string,
  source: JobSource,
  warm: boolean,
): Promise<Overhead> {
  const outer = await mkdtemp(join(directory, 'job-'));
  const workspaceDir = join(outer, 'workspace');
  await mkdir(workspaceDir);
  await chmod(outer, 0o711);
  if (warm) await standBy(executor, { workspaceDir, gitDir: source.gitDir, toolchainDirs: [] });
  const startedAt = performance.now();
  let [stepAt, closingAt] = [Number.NaN, Number.NaN];
  try {
    const job = aPlannedJob('true', { steps: [{ name: 'true', run: 'true', workdir: '.' }] });
    const result = await runJob(
      executor,
      {
        job,
        trust: 'trusted',
        source,
        workspaceDir,
        network: 'none',
        toolchainDirs: [],
        env: {},
        secrets: {},
        signal: new AbortController().signal,
      },
      {
        output: () => Promise.resolve(),
        step: (step) => void (step === 'true' && (stepAt = performance.now())),
        artifact: () => Promise.resolve(),
        outputBytes: () => 0,
        closing: () => void (closingAt = performance.now()),
      },
    );
    if (result.outcome !== 'succeeded') throw new Error(result.infrastructureError?.message ?? 'the job failed');
    return { beforeMs: stepAt - startedAt, afterMs: performance.now() - closingAt };
  } finally {
    await rm(outer, { recursive: true, force: true });
  }
}

async function timed([file, ...args]: readonly [string, ...string[]]): Promise<number> {
  const startedAt = performance.now();
  await promisify(execFile)(file, args);
  return performance.now() - startedAt;
}
