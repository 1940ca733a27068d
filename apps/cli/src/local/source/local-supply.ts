import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import {
  contentOfFile,
  openLocalRepository,
  verifiedCopy,
  type Git,
  type GitResult,
  type LfsPointer,
  type SourceSupply,
} from '@delta-ci/git';
import { packCommit } from './pack-commit.ts';

/** A repository as it lies on this machine. */
export interface CheckedOut {
  /** Top directory of its working tree. */
  readonly root: string;
  readonly gitDir: string;
}

/**
 * Supplies a local run from what the person has: checked-out submodules, and the objects that Git LFS keeps beside a
 * repository. The network is left alone, and so are the person's credentials.
 */
export function localSupply(git: Git, signal: AbortSignal): SourceSupply<CheckedOut> {
  return {
    submodule: async ({ pathThere, commit }, heldBy, gitDir) => {
      const found = await checkedOut(git, join(await realpath(heldBy.root), pathThere), commit, signal);
      if (!found.ok) return found;
      const packed = await packCommit(git, found.value.gitDir, commit, gitDir, signal);
      return packed.ok ? found : packed;
    },
    lfs: async (objects, { gitDir }, directory) => {
      const flags = ['--path-format=absolute', '--git-common-dir'];
      const common = await git.line({ command: 'rev-parse', flags }, { gitDir, signal });
      if (!common.ok) return common;
      for (const object of objects) {
        if (!(await copyObject(common.value, object, directory))) {
          const message = `object ${object.oid.slice(0, 12)} of Git LFS is not on this machine; get it with: git lfs fetch`;
          return { ok: false, error: { code: 'lfs_unavailable', message } };
        }
      }
      return { ok: true, value: undefined };
    },
  };
}

async function checkedOut(
  git: Git,
  place: string,
  commit: string,
  signal: AbortSignal,
): Promise<GitResult<CheckedOut>> {
  const hint = 'get it with: git submodule update --init --recursive';
  const opened = await openLocalRepository(git, place);
  // Where nothing is checked out, git finds the repository around it.
  if (!opened.ok || opened.value.root !== place)
    return { ok: false, error: { code: 'not_a_repository', message: `it is not checked out; ${hint}` } };
  const { root, gitDir } = opened.value;
  const here = await opened.value.hasCommit(commit, { signal });
  await opened.value.close();
  if (!here.ok) return here;
  if (here.value) return { ok: true, value: { root, gitDir } };
  return { ok: false, error: { code: 'commit_not_found', message: `its commit ${commit} is not here; ${hint}` } };
}

/** False when it is not there, or damaged. */
async function copyObject(gitDir: string, object: LfsPointer, directory: string): Promise<boolean> {
  const { oid } = object;
  const kept = join(gitDir, 'lfs', 'objects', oid.slice(0, 2), oid.slice(2, 4), oid);
  return verifiedCopy(contentOfFile(kept), join(directory, oid), object).catch(() => false);
}
