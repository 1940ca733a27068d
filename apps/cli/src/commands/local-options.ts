import { Git } from '@delta-ci/git';
import { withLocalChange, type LocalChange } from '../local/source/local-change.ts';
import { outsideRepository } from '../local/machine/outside-repository.ts';
import { planLocally, type LocalPlan } from '../local/plan-locally.ts';
import type { Surroundings } from '../surroundings.ts';

/** Options that say which change of which repository is meant. */
export interface LocalOptions {
  readonly repo: string;
  readonly base?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

export interface PlannedLocally extends LocalPlan {
  readonly git: Git;
  readonly change: LocalChange;
}

/** Plans the change of a local repository, and keeps its snapshot for as long as `use` takes. */
export async function withLocalPlan<T>(
  surroundings: Surroundings,
  { repo, base, all }: LocalOptions,
  unsandboxed: boolean,
  use: (planned: PlannedLocally) => Promise<T>,
): Promise<T> {
  const { environment, directory, interrupted } = outsideRepository(surroundings, repo);
  const git = new Git({ environment });
  const asked = { repo, base: base ?? null, all: all === true };
  return withLocalChange(git, directory, asked, interrupted, async (change) => {
    const planned = await planLocally(change, unsandboxed ? 'process' : 'sandbox', interrupted);
    return use({ ...planned, git, change });
  });
}
