import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installBeside } from '../../bootstrap/packages-beside.mjs';
import { amount, type Bench, type Measure } from '../measure.ts';

import type { Figure } from '../report/figure.ts';
import { median } from '../report/percentile.ts';
import { ROOT } from '../world/control-plane.ts';
import { git, madeWorkspace } from '../world/made-history.ts';

const PACKAGES = 1_000;
const ROUNDS = 5;
const LIMIT_MS = 120_000;
/** A source of the first package: it and the 63 that build upon it can notice. */
const CHANGED = 'packages/p0/src/index.ts';
const NOTICING = 64;

/** Something that says what a change reaches, as a process of its own. */
interface Planner {
  readonly name: string;
  /** What node runs. */
  readonly script: string;
  readonly args: readonly string[];
  /** How many packages it says are reached. */
  readonly reached: (answer: string) => number;
}

/** Nx is among what the repository is checked with; Turborepo is installed with the other peers. */
async function plannersHere(): Promise<Planner[]> {
  const { turboProgram } = await import('../peers/turbo-program.mjs');
  return [
    {
      name: 'ours',
      script: join(ROOT, 'apps/cli/dist/main.js'),
      args: ['what-if', '--last', '1', '--json', '--no-cache'],
      reached: (answer) => (JSON.parse(answer) as { selection: { jobsRun: number } }).selection.jobsRun / JOBS_EACH,
    },
    {
      name: 'nx',
      script: join(ROOT, 'node_modules/nx/dist/bin/nx.js'),
      args: ['show', 'projects', '--affected', '--base=HEAD~1', '--head=HEAD'],
      reached: (answer) => answer.split('\n').filter((line) => line.startsWith('@large/')).length,
    },
    {
      name: 'turbo',
      script: turboProgram,
      args: ['run', 'test', '--filter=...[HEAD^1]', '--dry=json', '--no-daemon'],
      reached: (answer) =>
        (JSON.parse(answer) as { packages: string[] }).packages.filter((name) => name !== '//').length,
    },
  ];
}

/** A test, a lint and a type check. */
const JOBS_EACH = 3;

export const planPeers: Measure = {
  name: 'plan-peers',
  what: 'what one source file reaches in a workspace of 1,000 packages, asked of ours and of other planners as processes, in turns',
  byName: true,
  run: async (bench) => {
    await installBeside(join(ROOT, 'tools', 'bench', 'peers'), 'the peers');
    const planners = await plannersHere();
    const directory = join(await bench.scene.directory('workspace'), 'workspace');
    await makeWorkspace(directory);
    const figures: Figure[] = [];
    const times = new Map<string, number[]>();
    for (let round = 0; round <= amount(bench, ROUNDS); round += 1) {
      await commitChange(directory, round);
      for (const planner of planners) {
        bench.say(`${planner.name}: round ${round}`);
        const tookMs = await askedOnce(bench, planner, directory);
        times.set(planner.name, [...(times.get(planner.name) ?? []), tookMs]);
      }
    }
    for (const { name } of planners) {
      const [cold = 0, ...warm] = times.get(name) ?? [];
      figures.push({
        name: `plan-peers.${name}-cold`,
        value: cold,
        unit: 'ms',
        note: 'the whole process, asked first',
      });
      figures.push({
        name: `plan-peers.${name}-warm`,
        value: median(warm),
        unit: 'ms',
        note: `p50 of ${warm.length} commits`,
      });
    }
    return figures;
  },
};

async function makeWorkspace(directory: string): Promise<void> {
  const files = madeWorkspace(PACKAGES);
  const manifest = JSON.parse(files['package.json'] ?? '{}') as Record<string, unknown>;
  const all = {
    ...files,
    'package.json': JSON.stringify({ ...manifest, packageManager: 'npm@10.9.0' }, null, 2),
    'nx.json': JSON.stringify({ analytics: false, neverConnectToCloud: true }),
    'turbo.json': JSON.stringify({ tasks: { test: { dependsOn: ['^test'] } } }),
    '.gitignore': 'node_modules\n.nx\n.turbo\n',
  };
  for (const [path, text] of Object.entries(all)) {
    const place = join(directory, path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, text);
  }
  // Nx wants to be found where it is asked.
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  git(directory, ['init', '--quiet', '--initial-branch=main', '.']);
  commit(directory);
}

async function commitChange(directory: string, round: number): Promise<void> {
  await writeFile(join(directory, CHANGED), `export const at = ${round + 1};\n`);
  commit(directory);
}

function commit(directory: string): void {
  git(directory, ['add', '--all']);
  const who = ['-c', 'user.name=Bench', '-c', 'user.email=bench@example.invalid', '-c', 'commit.gpgSign=false'];
  git(directory, [...who, 'commit', '--quiet', '--message', 'change']);
}

/** @throws when it does not say what is true: then it did something else, or nothing */
async function askedOnce(bench: Bench, planner: Planner, cwd: string): Promise<number> {
  const startedAt = performance.now();
  const child = await bench.scene.open(
    () =>
      spawn(process.execPath, [planner.script, ...planner.args], {
        cwd,
        env: ENVIRONMENT,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: LIMIT_MS,
      }),
    (opened) => opened.kill('SIGKILL'),
  );
  let [answer, said] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (answer += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (said += text));
  const [code] = (await once(child, 'close')) as [number | null];
  const tookMs = performance.now() - startedAt;
  if (code !== 0) throw new Error(`${planner.name} ended with ${code}: ${said.slice(-500)}`);
  const reached = planner.reached(answer);
  if (reached !== NOTICING) throw new Error(`${planner.name} says ${reached} of ${PACKAGES}, not ${NOTICING}`);
  return tookMs;
}

const ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  CI: 'true',
  NX_DAEMON: 'false',
  NX_TUI: 'false',
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
};
