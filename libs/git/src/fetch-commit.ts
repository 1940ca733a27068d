import { layOutBareRepository } from './bare-layout.ts';
import { parseCommitId } from './commit-id.ts';
import { done, failed, type GitResult } from './git-error.ts';
import type { Git, GitContext } from './git.ts';
import { parseRef } from './ref-name.ts';
import { accessRemote, type RemoteAccess } from './remote-access.ts';
import { transferWithin } from './transfer-within.ts';

export interface CommitFetch {
  readonly access: RemoteAccess;
  /** Full id of the one commit that is wanted, without those before it. */
  readonly commit: string;
  /** Where the remote had it last, for remotes that give nothing by its id; null: by its id or not at all. */
  readonly ref: string | null;
  /** An empty directory, or one with nothing of git's in it; becomes a bare repository. */
  readonly gitDir: string;
  readonly maxBytes: number;
  readonly timeLimitMs: number;
  readonly signal: AbortSignal;
}

const FLAGS = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', '--refmap='];

/** How far back a commit is looked for behind a ref that has moved on: what a busy branch gets in a day, and in weeks. */
const DEPTHS_BEHIND_REF = [1, 50, 1_000];

/**
 * Fetches one commit, shallow and by its id, as a bare repository of its own: objects are checked on arrival, nothing is
 * checked out. From a remote that refuses ids, the ref is fetched by its name, and what lies behind it as far as is
 * reasonable; when the commit is not there, that is `commit_not_found`, never another commit.
 */
export async function fetchCommit(git: Git, wanted: CommitFetch): Promise<GitResult<void>> {
  const { access, commit, ref, gitDir, timeLimitMs, signal } = wanted;
  const parsed = parseCommitId(commit);
  if (!parsed.ok) return parsed;
  const reached = await accessRemote(git, access);
  if (!reached.ok) return reached;
  await layOutBareRepository(gitDir, commit.length === 64 ? 'sha256' : 'sha1');
  const context = { ...reached.value, gitDir, timeLimitMs, signal };
  const byId = await transfer(git, wanted, context, [commit], 1);
  if (byId.ok || byId.error.code !== 'commit_not_found' || ref === null) return byId;
  const named = parseRef(ref);
  if (!named.ok) return named;
  for (const depth of DEPTHS_BEHIND_REF) {
    const byName = await transfer(git, wanted, context, [`+${named.value}:refs/delta/source`], depth);
    if (!byName.ok) return byName;
    if (await hasCommit(git, context, commit)) return done(undefined);
  }
  return failed(
    'commit_not_found',
    `the remote gives no commit by its id, and ${commit} is not among the last ${DEPTHS_BEHIND_REF.at(-1)} of ${named.value}`,
  );
}

async function transfer(
  git: Git,
  { access, maxBytes }: CommitFetch,
  context: GitContext & { readonly gitDir: string },
  what: readonly string[],
  depth: number,
): Promise<GitResult<void>> {
  const operands = [access.remote.url, ...what];
  return transferWithin(git, { command: 'fetch', flags: [...FLAGS, `--depth=${depth}`], operands }, context, maxBytes);
}

async function hasCommit(git: Git, { gitDir, signal }: GitContext, commit: string): Promise<boolean> {
  const command = { command: 'cat-file', flags: ['-e', `${commit}^{commit}`] };
  const context = { answers: [0, 1, 128], signal, ...(gitDir === undefined ? {} : { gitDir }) };
  const found = await git.run(command, context);
  return found.ok && found.value.exitCode === 0;
}
