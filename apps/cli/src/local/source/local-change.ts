import { resolve } from 'node:path';
import {
  openLocalRepository,
  type BaseOrigin,
  type Git,
  type LocalRepository,
  type WorktreeSnapshot,
} from '@delta-ci/git';
import { EXIT, Problem } from '../../problem.ts';
import { valueOf } from '../../git-answers.ts';

export interface ChangeOptions {
  /** Directory inside the repository. */
  readonly repo: string;
  /** Anything git can resolve to a commit; null to look for the likely base. */
  readonly base: string | null;
  readonly all: boolean;
}

/** What is compared: the working tree as it is now, and the commit before it. */
export interface LocalChange {
  readonly repository: LocalRepository;
  readonly snapshot: WorktreeSnapshot;
  /** The commit that is tested: the checked-out one, or one that stands for the working tree. */
  readonly commit: string;
  readonly tree: string;
  /** The checked-out commit. */
  readonly head: string;
  /** Whether there is anything that is not committed. */
  readonly uncommitted: boolean;
  /** The checked-out branch's full name, or `HEAD`. */
  readonly ref: string;
  /** Null: everything runs, and why. */
  readonly base: { readonly commit: string; readonly found: string } | null;
  readonly everything: string | null;
}

/** Opens the repository and takes a snapshot of its working tree, for as long as `use` takes. */
export async function withLocalChange<T>(
  git: Git,
  directory: string,
  options: ChangeOptions,
  signal: AbortSignal,
  use: (change: LocalChange) => Promise<T>,
): Promise<T> {
  const repository = valueOf(await openLocalRepository(git, resolve(directory, options.repo)));
  try {
    const head = await headOf(repository);
    const snapshot = valueOf(await repository.snapshot({ signal }));
    try {
      return await use(await describe(git, repository, snapshot, head, options));
    } finally {
      await snapshot.close();
    }
  } finally {
    await repository.close();
  }
}

async function headOf(repository: LocalRepository): Promise<string> {
  const head = await repository.resolveRef('HEAD');
  if (head.ok) return head.value;
  if (head.error.code !== 'ref_not_found') return valueOf(head);
  throw new Problem('no_commits', `${repository.root} has no commit yet`, {
    next: 'make a first one: git add --all && git commit',
  });
}

async function describe(
  git: Git,
  repository: LocalRepository,
  snapshot: WorktreeSnapshot,
  head: string,
  options: ChangeOptions,
): Promise<LocalChange> {
  const uncommitted = valueOf(await repository.treeId(head)) !== snapshot.treeId;
  const ref = valueOf(await repository.currentBranch()) ?? 'HEAD';
  const commit = uncommitted ? await worktreeCommit(git, repository, snapshot, head) : head;
  const same = { repository, snapshot, commit, tree: snapshot.treeId, head, uncommitted, ref };
  if (options.all) return { ...same, base: null, everything: '--all asks for everything' };
  if (options.base !== null) {
    const commitOfBase = await commitNamed(git, repository, options.base);
    const base = valueOf(await repository.mergeBase(commitOfBase, head));
    return { ...same, base: { commit: base, found: `the merge base with ${options.base}` }, everything: null };
  }
  const found = valueOf(await repository.defaultBase({ differentFromHead: !uncommitted }));
  if (found.commit === null) return { ...same, base: null, everything: 'there is no earlier commit to compare with' };
  return { ...same, base: { commit: found.commit, found: originText(found.origin, found.ref) }, everything: null };
}

async function commitNamed(git: Git, { gitDir, root }: LocalRepository, name: string): Promise<string> {
  const command = { command: 'rev-parse', flags: ['--verify', '--quiet'], operands: [`${name}^{commit}`] };
  const answer = await git.run(command, { gitDir, answers: [0, 1, 128] });
  const id = valueOf(answer)
    .stdout.toString('latin1')
    .split('\n')
    .find((line) => OBJECT_ID.test(line));
  if (id !== undefined) return id;
  throw new Problem('commit_not_found', `"${name}" names no commit of ${root}`, {
    next: 'give --base a branch, a tag or a commit, for instance --base origin/main',
  });
}

const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u;

/**
 * A commit that stands for the working tree. It lies beside the snapshot, so the repository gets nothing new, and says
 * the same every time: the same tree on the same commit has the same id.
 */
async function worktreeCommit(
  git: Git,
  repository: LocalRepository,
  snapshot: WorktreeSnapshot,
  head: string,
): Promise<string> {
  const { committer } = valueOf(await repository.commitInfo(head));
  const timeS = Math.floor(committer.timeMs / 1_000);
  const who = `Working tree <working-tree@localhost> ${timeS} +0000`;
  const text = `tree ${snapshot.treeId}\nparent ${head}\nauthor ${who}\ncommitter ${who}\n\nUncommitted changes\n`;
  const command = { command: 'hash-object', flags: ['-t', 'commit', '-w', '--stdin'] };
  const made = await git.line(command, { gitDir: snapshot.reader.gitDir, input: Buffer.from(text) });
  if (made.ok) return made.value;
  throw new Problem(made.error.code, made.error.message, { exitCode: EXIT.notJudged });
}

function originText(origin: BaseOrigin, ref: string | undefined): string {
  const name = (ref ?? '').replace(/^refs\/(?:heads|remotes)\//u, '');
  const texts: Record<BaseOrigin, string> = {
    upstream: `the merge base with its upstream ${name}`,
    remote_default: `the merge base with the remote's default branch ${name}`,
    main_branch: `the merge base with ${name}`,
    pushed_copy: `what was pushed to ${name}`,
    first_parent: 'the commit before',
    nothing_before: 'nothing',
  };
  return texts[origin];
}
