import { join } from 'node:path';
import type { PlannedJob, SourceRequest } from '@delta-ci/contracts';
import { completeSource, originOf, type Git } from '@delta-ci/git';
import type { JobSource } from '@delta-ci/sandbox';
import { valueOf } from './git-answers.ts';
import type { LocalChange } from './local-change.ts';
import { localSupply } from './local-supply.ts';
import { packCommit } from './pack-commit.ts';

/**
 * A bare repository with nothing but the tested commit: what a runner would have fetched. Jobs see it read-only, and
 * none of the person's repository: neither its history nor its configuration. Submodules and files of Git LFS that any of
 * the jobs asks for lie beside it.
 */
export async function makeJobSource(
  git: Git,
  { commit, tree, snapshot, repository }: LocalChange,
  jobs: readonly PlannedJob[],
  directory: string,
  signal: AbortSignal,
): Promise<JobSource> {
  const gitDir = join(directory, 'source.git');
  valueOf(await packCommit(git, snapshot.reader.gitDir, commit, gitDir, signal));
  const wishes = wishesOf(jobs);
  if (wishes !== null)
    valueOf(await completeSource(git, { gitDir, commit, repository }, wishes, localSupply(git, signal), signal));
  const origin = originOf(valueOf(await repository.remoteUrl()) ?? '');
  return { gitDir, commit, tree, ...(origin === undefined ? {} : { origin }) };
}

/** What serves all jobs; null when none asks for anything. */
function wishesOf(jobs: readonly PlannedJob[]): SourceRequest | null {
  const all = jobs.flatMap(({ source }) => source ?? []);
  if (all.length === 0) return null;
  const deepest = all.some(({ submodules }) => submodules === 'recursive') ? 'recursive' : 'direct';
  return {
    ...(all.some(({ submodules }) => submodules !== undefined) ? { submodules: deepest } : {}),
    ...(all.some(({ lfs }) => lfs === true) ? { lfs: true } : {}),
  };
}
