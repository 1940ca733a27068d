import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Git, SnapshotReader, openHistory, type GitResult, type RepositoryReader } from '@delta-ci/git';
import { planChange, type Comparison } from '@delta-ci/planning';
import { READING, pushOf } from '../history/push-of-step.ts';
import { carryOut, type Place } from './carry-out.ts';
import { differencesOf, type Expected } from './judge.ts';
import { makeRepository, type Commit } from './made-repository.ts';
import type { Bug, Files, Trial } from './trial.ts';

/** What one plan of a trial came to. */
export interface StageResult {
  readonly what: string;
  /** How many jobs ran. */
  readonly jobs: number;
  readonly durationMs: number;
  readonly differences: readonly string[];
}

interface Stage extends Commit {
  readonly expected: Expected;
}

/**
 * Plans a trial's repository as a whole and each of its bugs as a change, carries every plan out and says what is not as it
 * should be.
 *
 * @param material what the toolchain brings along for repositories
 */
export async function makeTrial(trial: Trial, place: Place, material: string): Promise<StageResult[]> {
  const directory = await mkdtemp(join(place.directory, 'trial-'));
  const stages = stagesOf(trial, trial.files(material));
  const gitDir = await makeRepository(directory, stages);
  const reader = valueOf(await openHistory(new Git({ environment: process.env }), gitDir));
  try {
    const results: StageResult[] = [];
    for (const [at, stage] of stages.entries()) {
      if (place.signal.aborted) break;
      const startedMs = performance.now();
      const { differences, jobs } = await carryOutStage(reader, gitDir, at, stage, place);
      results.push({ what: stage.title, jobs, durationMs: performance.now() - startedMs, differences });
    }
    return results;
  } finally {
    await reader.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function stagesOf({ jobs, bugs }: Trial, files: Files): Stage[] {
  const sound = Object.fromEntries(jobs.map((key) => [key, 'succeeded'] as const));
  return [
    { title: 'everything, and nothing is wrong', files, expected: { outcomes: sound, told: null } },
    ...bugs.map((bug) => {
      const { what, outcomes, told } = bug;
      return { title: what, files: { ...files, [bug.path]: broken(files, bug) }, expected: { outcomes, told } };
    }),
  ];
}

function broken(files: Files, { path, from, to }: Bug): string {
  const text = files[path] ?? '';
  if (!text.includes(from)) throw new Error(`${path} does not say "${from}"`);
  return text.replace(from, to);
}

async function carryOutStage(
  reader: RepositoryReader,
  gitDir: string,
  at: number,
  { title, expected }: Stage,
  place: Place,
): Promise<Pick<StageResult, 'differences' | 'jobs'>> {
  const snapshots = new SnapshotReader(reader, READING);
  const commit = valueOf(await reader.resolveRef(`refs/heads/${at}`));
  const tree = valueOf(await reader.treeId(commit));
  const head = valueOf(await snapshots.read(commit));
  const comparison = at === 0 ? EVERYTHING : await changesOf(reader, snapshots, commit);
  const planned = planChange(pushOf({ id: commit, treeId: tree, subject: title, author: 'Trial' }, head, comparison));
  if (!planned.ok) return { differences: [`nothing was planned: ${planned.message}`], jobs: 0 };
  const carried = await carryOut(place, { gitDir, commit, tree }, planned.plan);
  return { differences: differencesOf(expected, planned.plan, carried), jobs: carried.length };
}

const EVERYTHING: Comparison = { kind: 'everything', reason: 'it is the first commit' };

async function changesOf(reader: RepositoryReader, snapshots: SnapshotReader, commit: string): Promise<Comparison> {
  const first = valueOf(await reader.resolveRef('refs/heads/0'));
  const changes = valueOf(await reader.diff(first, commit));
  return { kind: 'changes', commit: first, snapshot: valueOf(await snapshots.read(first)), changes };
}

function valueOf<T>(result: GitResult<T>): T {
  if (result.ok) return result.value;
  throw new Error(result.error.message);
}
