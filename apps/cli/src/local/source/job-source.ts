import { join } from 'node:path';
import type { InfrastructureError, PlannedJob, SourceRequest } from '@delta-ci/contracts';
import { completeSource, originOf, type Git } from '@delta-ci/git';
import type { JobSource } from '@delta-ci/sandbox';
import { valueOf } from '../../git-answers.ts';
import type { LocalChange } from './local-change.ts';
import { localSupply } from './local-supply.ts';
import { packCommit } from './pack-commit.ts';

/** What the jobs of a local run are made from. */
export interface JobSources {
  /** The source of a job that is none of `refused`. */
  readonly of: (job: PlannedJob) => JobSource;
  /** By key: jobs that ask for something this machine does not have, and how to get it. */
  readonly refused: ReadonlyMap<string, InfrastructureError>;
}

/**
 * Bare repositories with nothing but the tested commit: what a runner would have fetched. Jobs see theirs read-only, and
 * none of the person's repository: neither its history nor its configuration. Submodules and files of Git LFS that a job asks for
 * lie beside it. Jobs that ask for the same share one, and so do those that ask for nothing with any other.
 */
export async function makeJobSources(
  git: Git,
  change: LocalChange,
  jobs: readonly PlannedJob[],
  directory: string,
  signal: AbortSignal,
): Promise<JobSources> {
  const { commit, tree, snapshot, repository } = change;
  const origin = originOf(valueOf(await repository.remoteUrl()) ?? '');
  const sourceAt = async (name: string): Promise<JobSource> => {
    const gitDir = join(directory, name);
    valueOf(await packCommit(git, snapshot.reader.gitDir, commit, gitDir, signal));
    return { gitDir, commit, tree, ...(origin === undefined ? {} : { origin }) };
  };
  const plain = await sourceAt('source.git');
  const complete = new Map<string, JobSource>();
  const refused = new Map<string, InfrastructureError>();
  for (const [index, { wish, request, keys }] of wishesOf(jobs).entries()) {
    const source = index === 0 ? plain : await sourceAt(`source-${index}.git`);
    const { gitDir } = source;
    const made = await completeSource(git, { gitDir, commit, repository }, request, localSupply(git, signal), signal);
    if (made.ok) complete.set(wish, source);
    else if (signal.aborted) valueOf(made);
    else for (const key of keys) refused.set(key, { code: 'source_unavailable', message: made.error.message });
  }
  return {
    refused,
    of: ({ key, source }) => {
      const made = source === undefined ? plain : complete.get(wishText(source));
      if (made === undefined) throw new Error(`${key} is refused: nothing is to be checked out for it`);
      return made;
    },
  };
}

/** What several jobs ask for alike. */
interface Wish {
  readonly wish: string;
  readonly request: SourceRequest;
  readonly keys: readonly string[];
}

function wishesOf(jobs: readonly PlannedJob[]): Wish[] {
  const wishes = new Map<string, { wish: string; request: SourceRequest; keys: string[] }>();
  for (const { key, source } of jobs) {
    if (source === undefined) continue;
    const wish = wishText(source);
    const known = wishes.get(wish);
    if (known === undefined) wishes.set(wish, { wish, request: source, keys: [key] });
    else known.keys.push(key);
  }
  return [...wishes.values()];
}

const wishText = ({ submodules, lfs }: SourceRequest): string => `${submodules ?? 'none'} ${lfs === true}`;
