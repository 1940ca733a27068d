import { done, failed, type GitResult } from './git-error.ts';
import type { Git } from './git.ts';
import type { RepositoryReader } from './repository-reader.ts';

/** How a base was found: the words a person needs to follow the choice. */
export type BaseOrigin =
  'upstream' | 'remote_default' | 'main_branch' | 'pushed_copy' | 'first_parent' | 'nothing_before';

export interface DefaultBase {
  /** The commit to compare with; null when there is nothing before the head, or nothing of it here. */
  readonly commit: string | null;
  readonly origin: BaseOrigin;
  /** The ref whose merge base with the head it is; absent for the last two origins. */
  readonly ref?: string;
}

export interface BaseOptions {
  /**
   * Pass over bases that are the head itself. Right when the working tree is clean (there would be nothing to compare),
   * wrong when uncommitted changes are what is being looked at.
   */
  readonly differentFromHead: boolean;
}

interface Candidate {
  readonly ref: string;
  readonly origin: BaseOrigin;
}

interface Surroundings {
  /** Full name of the checked-out branch; undefined when the head is detached. */
  readonly branch: string | undefined;
  readonly upstream: string | undefined;
  readonly remoteDefault: string | undefined;
}

/** Branches that a repository without a remote is usually integrated into. */
const MAIN_BRANCHES = [
  'refs/remotes/origin/main',
  'refs/heads/main',
  'refs/remotes/origin/master',
  'refs/heads/master',
];

/** `feature` of `refs/heads/feature` and of `refs/remotes/origin/feature`. */
function branchName(ref: string): string {
  return ref.replace(/^refs\/(?:heads|remotes\/[^/]+)\//u, '');
}

/**
 * Where to look for a base, best first: the upstream branch, the remote's default branch, main or master. An upstream that is
 * just the pushed copy of the same branch comes last: it says what was pushed, not what the change is going into.
 */
export function baseCandidates({ branch, upstream, remoteDefault }: Surroundings): Candidate[] {
  const isCopy = upstream !== undefined && branch !== undefined && branchName(upstream) === branchName(branch);
  const pushedCopy = isCopy && upstream !== remoteDefault;
  const candidates: Candidate[] = [];
  if (upstream !== undefined && !pushedCopy) candidates.push({ ref: upstream, origin: 'upstream' });
  if (remoteDefault !== undefined) candidates.push({ ref: remoteDefault, origin: 'remote_default' });
  for (const ref of MAIN_BRANCHES) {
    if (ref !== upstream || !pushedCopy) candidates.push({ ref, origin: 'main_branch' });
  }
  if (upstream !== undefined && pushedCopy) candidates.push({ ref: upstream, origin: 'pushed_copy' });
  return candidates;
}

async function symbolicRef(git: Git, gitDir: string, name: string): Promise<GitResult<string | undefined>> {
  const command = { command: 'symbolic-ref', flags: ['--quiet'], operands: [name] };
  const answer = await git.run(command, { gitDir, answers: [0, 1] });
  if (!answer.ok) return answer;
  const ref = answer.value.stdout.toString('utf8').trim();
  return done(ref === '' ? undefined : ref);
}

async function lookAround(git: Git, gitDir: string): Promise<GitResult<Surroundings>> {
  const branch = await symbolicRef(git, gitDir, 'HEAD');
  if (!branch.ok) return branch;
  const remoteDefault = await symbolicRef(git, gitDir, 'refs/remotes/origin/HEAD');
  if (!remoteDefault.ok) return remoteDefault;
  if (branch.value === undefined) {
    return done({ branch: undefined, upstream: undefined, remoteDefault: remoteDefault.value });
  }
  const upstream = await upstreamOf(git, gitDir, branch.value);
  if (!upstream.ok) return upstream;
  return done({ branch: branch.value, upstream: upstream.value, remoteDefault: remoteDefault.value });
}

/** What a branch follows, by its full name, whether that is here or not; undefined when it follows nothing. */
async function upstreamOf(git: Git, gitDir: string, branch: string): Promise<GitResult<string | undefined>> {
  const command = { command: 'for-each-ref', flags: ['--format=%(upstream)'], operands: [branch] };
  const upstream = await git.line(command, { gitDir });
  if (!upstream.ok) return upstream;
  return done(upstream.value === '' ? undefined : upstream.value);
}

/**
 * The branch that changes of a working repository go into, by its full name as a branch: the remote's default branch; where nobody has
 * asked for that, main or master that follows the remote's; where there is no remote, main or master. Null when there is none of
 * these. By its name alone no branch is it where there is a remote: a stranger's that was fetched to be tried may be called main.
 */
export async function findMainBranch(git: Git, reader: RepositoryReader): Promise<GitResult<string | null>> {
  const remoteDefault = await symbolicRef(git, reader.gitDir, 'refs/remotes/origin/HEAD');
  if (!remoteDefault.ok) return remoteDefault;
  if (remoteDefault.value !== undefined) return done(`refs/heads/${branchName(remoteDefault.value)}`);
  const remotes = await hasRemotes(git, reader.gitDir);
  if (!remotes.ok) return remotes;
  for (const name of ['main', 'master']) {
    const branch = `refs/heads/${name}`;
    const theirs = `refs/remotes/origin/${name}`;
    const tip = await reader.resolveRef(remotes.value ? theirs : branch);
    if (!tip.ok && !UNFIT.has(tip.error.code)) return tip;
    if (!tip.ok) continue;
    if (!remotes.value) return done(branch);
    const upstream = await upstreamOf(git, reader.gitDir, branch);
    if (!upstream.ok) return upstream;
    if (upstream.value === theirs) return done(branch);
  }
  return done(null);
}

async function hasRemotes(git: Git, gitDir: string): Promise<GitResult<boolean>> {
  const command = { command: 'config', flags: ['--null', '--name-only', '--get-regexp', String.raw`^remote\..+\.`] };
  const answer = await git.run(command, { gitDir, answers: [0, 1] });
  return answer.ok ? done(answer.value.stdout.length > 0) : answer;
}

/** Errors that make a candidate unfit rather than the search impossible. */
const UNFIT = new Set(['ref_not_found', 'invalid_ref', 'no_merge_base', 'commit_not_found']);

async function baseAt(reader: RepositoryReader, ref: string, head: string): Promise<GitResult<string | undefined>> {
  const tip = await reader.resolveRef(ref);
  if (!tip.ok) return UNFIT.has(tip.error.code) ? done(undefined) : tip;
  const base = await reader.mergeBase(tip.value, head);
  if (base.ok) return base;
  return UNFIT.has(base.error.code) ? done(undefined) : base;
}

/** Finds what the head of a working repository is best compared with, and says how it was found. */
export async function findDefaultBase(
  git: Git,
  reader: RepositoryReader,
  options: BaseOptions,
): Promise<GitResult<DefaultBase>> {
  const head = await reader.resolveRef('HEAD');
  if (!head.ok) {
    if (head.error.code !== 'ref_not_found') return head;
    return failed('no_commits', 'the repository has no commit yet; make a first one with git commit');
  }
  const surroundings = await lookAround(git, reader.gitDir);
  if (!surroundings.ok) return surroundings;
  for (const { ref, origin } of baseCandidates(surroundings.value)) {
    const base = await baseAt(reader, ref, head.value);
    if (!base.ok) return base;
    if (base.value === undefined || (options.differentFromHead && base.value === head.value)) continue;
    return done({ commit: base.value, origin, ref });
  }
  const commit = await reader.commitInfo(head.value);
  if (!commit.ok) return commit;
  const [parent] = commit.value.parents;
  if (parent === undefined) return done({ commit: null, origin: 'nothing_before' });
  // In a shallow clone the parent is known by name only.
  const here = await reader.hasCommit(parent);
  if (!here.ok) return here;
  return done(here.value ? { commit: parent, origin: 'first_parent' } : { commit: null, origin: 'nothing_before' });
}
