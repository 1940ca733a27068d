import { basename, resolve } from 'node:path';
import { canonicalJson } from '@delta-ci/contracts';
import { Git, SnapshotReader, openHistory, type RepositoryReader, type Snapshot } from '@delta-ci/git';
import { DiscoveryMemory, planChange } from '@delta-ci/planning';
import { READING, pushOfStep } from '../../history/push-of-step.ts';
import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { median } from '../report/percentile.ts';
import { git, makeHistory } from '../world/made-history.ts';

const PACKAGES = 1_000;
const COMMITS = 200;
const REAL_COMMITS = 1_000;

/** As `delta what-if` has it. */
const SNAPSHOT_BYTES_MAX = 512 * 1_024 ** 2;

/** What one commit of a history took, in milliseconds. */
interface Times {
  readonly read: number;
  readonly planned: number;
  readonly written: number;
}

export const whatIf: Measure = {
  name: 'what-if',
  what: 'a history of a workspace of 1,000 packages planned again, commit by commit; raw: git telling what changed in them',
  run: async (bench) => {
    const directory = await bench.scene.directory('history');
    const commits = amount(bench, COMMITS);
    bench.say(`making ${commits} commits of ${PACKAGES} packages`);
    makeHistory(directory, PACKAGES, commits);
    const startedAt = performance.now();
    git(directory, ['log', '--first-parent', '--raw', '-z', `--max-count=${commits}`, 'main']);
    const raw = { what: 'git log --raw', value: (commits / (performance.now() - startedAt)) * 1_000 };
    const times = await replan(bench, directory, commits);
    const real = bench.repo === null ? [] : await realHistory(bench, bench.repo);
    const [cold, ...warm] = times;
    if (cold === undefined) throw new Error('a history has a first commit');
    const whole = times.reduce((sum, { read, planned, written }) => sum + read + planned + written, 0);
    return [
      {
        name: 'what-if.commits',
        value: (times.length / whole) * 1_000,
        unit: '/s',
        raw,
        note: `${times.length} commits`,
      },
      {
        name: 'what-if.cold',
        value: cold.read + cold.planned,
        unit: 'ms',
        note: 'read and planned, the first of them',
      },
      {
        name: 'what-if.warm',
        value: median(warm.map(({ read, planned }) => read + planned)),
        unit: 'ms',
        note: 'p50 of the rest',
      },
      { name: 'what-if.warm-read', value: median(warm.map(({ read }) => read)), unit: 'ms', note: 'of that, reading' },
      {
        name: 'what-if.written',
        value: median(warm.map(({ written }) => written)),
        unit: 'ms',
        note: 'a plan as canonical JSON',
      },
      ...real,
    ] satisfies Figure[];
  },
};

/** Of commits that people made: what they hold is as various as that. */
async function realHistory(bench: Bench, repo: string): Promise<Figure[]> {
  const commits = amount(bench, REAL_COMMITS);
  bench.say(`planning ${commits} commits of ${repo}`);
  const times = await replan(bench, resolve(repo), commits);
  const whole = times.reduce((sum, { read, planned, written }) => sum + read + planned + written, 0);
  const note = `${times.length} commits of ${basename(resolve(repo))}, read, planned and written out`;
  const warm = median(times.map(({ read, planned }) => read + planned));
  return [
    { name: 'what-if.real', value: whole / 1_000, unit: 's', note },
    { name: 'what-if.real-warm', value: warm, unit: 'ms', note: 'p50 of these' },
  ];
}

async function replan({ scene }: Bench, directory: string, commits: number): Promise<Times[]> {
  const opened = await openHistory(new Git({ environment: process.env }), directory);
  if (!opened.ok) throw new Error(opened.error.message);
  const reader = await scene.open(
    () => opened.value,
    async (each: RepositoryReader) => each.close(),
  );
  const head = await reader.resolveRef('HEAD');
  if (!head.ok) throw new Error(head.error.message);
  const snapshots = new SnapshotReader(reader, READING);
  const memory = new DiscoveryMemory(SNAPSHOT_BYTES_MAX);
  const times: Times[] = [];
  let before: Snapshot | null = null;
  const walked = await reader.walkFirstParents(head.value, commits, async (step) => {
    const startedAt = performance.now();
    const base: Snapshot = before ?? (await readAnew(snapshots, step.parent?.id ?? ''));
    const next = await snapshots.readNext(base, step.commit.id, step.changes);
    if (!next.ok) throw new Error(next.error.message);
    const readAt = performance.now();
    const planned = planChange(pushOfStep(step, next.value, base), memory);
    const plannedAt = performance.now();
    // A commit that cannot be planned took its time too.
    if (planned.ok) canonicalJson(planned.plan);
    times.push({ read: readAt - startedAt, planned: plannedAt - readAt, written: performance.now() - plannedAt });
    before = next.value;
  });
  if (!walked.ok) throw new Error(walked.error.message);
  return times;
}

async function readAnew(snapshots: SnapshotReader, commit: string): Promise<Snapshot> {
  const snapshot = await snapshots.read(commit);
  if (!snapshot.ok) throw new Error(snapshot.error.message);
  return snapshot.value;
}
