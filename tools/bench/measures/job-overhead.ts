import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { IsolationTier } from '@delta-ci/contracts';
import { ContainerExecutor, GvisorExecutor, type SandboxExecutor } from '@delta-ci/sandbox';
import { ensureGvisor, hostPrograms, openCache, openContainerEngine } from '../../bootstrap/index.mjs';
import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { median } from '../report/percentile.ts';
import { ROOT } from '../world/control-plane.ts';
import { madeWorkspace } from '../world/made-history.ts';
import { needed } from '../world/servers.ts';
import { singleJobs, type SingleJobs } from '../world/single-jobs.ts';

const SAMPLES = 15;
const WARMING_UP = 2;
const PACKAGES = 3;

/** The step itself says when it ran, by the clock that the log's times are of. */
const STEP = 'date +%s.%N';
const BARE = ['/bin/date', '+%s.%N'] as const;

/** A tier that works here, what a runner of it is told, and what anybody would have to do for a command of its kind. */
interface Tier {
  readonly tier: IsolationTier;
  readonly programs: Readonly<Record<string, string>>;
  readonly raw: { readonly what: string; readonly command: readonly [string, ...string[]] };
}

export const jobOverhead: Measure = {
  name: 'job-overhead',
  what: 'what a job costs beside its only command, by tier: from its lease to the command, and from there to the accepted report, with a runner that waits (warm) and with one that is started for it (cold); raw: the bare command in a sandbox of that kind',
  run: async (bench) => {
    const tiers = await tiersOf(bench);
    const programs = Object.assign({}, ...tiers.map((one) => one.programs)) as Record<string, string>;
    const jobs = await singleJobs(bench.scene, madeWorkspace(PACKAGES), programs);
    const figures: Figure[] = [];
    for (const tier of tiers) figures.push(...(await overheadOf(bench, tier, jobs)));
    return figures;
  },
};

async function tiersOf(bench: Bench): Promise<Tier[]> {
  const bwrap = needed('DELTA_BWRAP');
  const unshared = ['--unshare-all', '--die-with-parent', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev'];
  const tiers: Tier[] = [
    { tier: 'process', programs: {}, raw: { what: 'the bare command', command: BARE } },
    {
      tier: 'sandbox',
      programs: { DELTA_BWRAP: bwrap },
      raw: { what: 'bwrap around it', command: [bwrap, ...unshared, ...BARE] },
    },
  ];
  return [...tiers, ...(await gvisorOf(bench)), ...(await containerOf(bench))];
}

const placeOf = async ({ scene }: Bench) => ({
  stateDir: await scene.directory('sandboxes'),
  killGraceMs: 1_000,
  programDirs: (process.env['PATH'] ?? '').split(':'),
});

async function gvisorOf(bench: Bench): Promise<Tier[]> {
  const { say } = bench;
  const runsc = await ensureGvisor({ cacheDir: await openCache({ repoRoot: ROOT }), say });
  if (runsc.path === null) {
    say(`left out: tier gvisor, ${runsc.reason}`);
    return [];
  }
  const command = [runsc.path, '--network=none', '--ignore-cgroups', 'do', ...BARE] as const;
  const raw = { what: 'runsc do around it', command };
  const works = await isUsable(bench, new GvisorExecutor({ ...(await placeOf(bench)), runsc: runsc.path }));
  return works ? [{ tier: 'gvisor', programs: { DELTA_RUNSC: runsc.path }, raw }] : [];
}

async function containerOf(bench: Bench): Promise<Tier[]> {
  const { scene, say } = bench;
  const place = { cacheDir: await openCache({ repoRoot: ROOT }), dir: join(await scene.directory('engine'), 'engine') };
  const engine = await scene.open(
    async () => openContainerEngine({ ...place, say }),
    async (opened) => (opened.socket === null ? undefined : opened.stop()),
  );
  if (engine.socket === null || engine.client === null) {
    say(`left out: tier container, ${engine.socket === null ? engine.reason : 'no docker to measure it beside'}`);
    return [];
  }
  const { socket: engineSocket, client } = engine;
  // Its probe makes the empty image that the bare command is run over.
  const works = await isUsable(bench, new ContainerExecutor({ ...(await placeOf(bench)), engineSocket, image: null }));
  const run = ['run', '--rm', '--network=none', ...(await hostPrograms()), 'delta-ci-empty:1', ...BARE];
  const command = [client, '-H', `unix://${engineSocket}`, ...run] as const;
  const raw = { what: 'docker run of it', command };
  return works ? [{ tier: 'container', programs: { DELTA_CONTAINER_ENGINE: engineSocket }, raw }] : [];
}

async function isUsable({ say }: Bench, executor: SandboxExecutor): Promise<boolean> {
  const { usable } = await executor.probe();
  if (!usable) say(`left out: tier ${executor.tier} does not work here`);
  return usable;
}

/** Milliseconds of a job beside its command. */
interface Overhead {
  readonly beforeMs: number;
  readonly afterMs: number;
}

async function overheadOf(bench: Bench, { tier, raw }: Tier, jobs: SingleJobs): Promise<Figure[]> {
  const samples = amount(bench, SAMPLES) + WARMING_UP;
  const taken: Record<'cold' | 'warm', Overhead[]> = { cold: [], warm: [] };
  const bareMs: number[] = [];
  bench.say(`${samples} jobs in tier ${tier}, cold and warm in turns`);
  for (let sample = 0; sample < samples; sample += 1) {
    taken.cold.push(await oneJob(jobs, tier, false));
    taken.warm.push(await oneJob(jobs, tier, true));
    bareMs.push(await timed(raw.command));
  }
  const limit = { what: raw.what, value: median(bareMs.slice(WARMING_UP)) };
  return (['cold', 'warm'] as const).flatMap((kind): Figure[] => {
    const kept = taken[kind].slice(WARMING_UP);
    const name = `job-overhead.${tier}-${kind}`;
    const figure = (what: string, note: string, msOf: (one: Overhead) => number): Figure => ({
      name: `${name}-${what}`,
      value: median(kept.map(msOf)),
      unit: 'ms',
      raw: limit,
      note,
    });
    return [
      figure('before', 'lease granted to first command', ({ beforeMs }) => beforeMs),
      figure('after', 'last command to accepted report', ({ afterMs }) => afterMs),
      figure('whole', 'both', ({ beforeMs, afterMs }) => beforeMs + afterMs),
    ];
  });
}

async function oneJob(jobs: SingleJobs, tier: IsolationTier, warm: boolean): Promise<Overhead> {
  const { grantedAtMs, finishedAtMs, log } = await jobs.carryOut({ tier, script: STEP, warm });
  const seconds = /^\d+\.\d+$/mu.exec(log)?.[0];
  if (seconds === undefined) throw new Error(`the step did not say when it ran: ${log}`);
  const commandAtMs = Number(seconds) * 1_000;
  return { beforeMs: commandAtMs - grantedAtMs, afterMs: finishedAtMs - commandAtMs };
}

async function timed([file, ...args]: readonly [string, ...string[]]): Promise<number> {
  const startedAt = performance.now();
  await promisify(execFile)(file, args);
  return performance.now() - startedAt;
}
