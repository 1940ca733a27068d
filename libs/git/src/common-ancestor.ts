import { done, failed, type GitResult } from './git-error.ts';
import { isObjectId } from './commit-id.ts';
import type { Git, GitContext } from './git.ts';

/**
 * The best common ancestor of two commits that are here; `one` itself where there are several, or where history was left out
 * in which a better one may lie. `no_merge_base` when there is none here.
 */
export async function commonAncestor(
  git: Git,
  context: GitContext,
  one: string,
  other: string,
): Promise<GitResult<string>> {
  const [answer, shallow] = await Promise.all([
    git.run({ command: 'merge-base', flags: ['--all'], operands: [one, other] }, { ...context, answers: [0, 1] }),
    isShallowRepository(git, context),
  ]);
  if (!answer.ok) return answer;
  if (!shallow.ok) return shallow;
  const [id = '', another = ''] = answer.value.stdout.toString('latin1').split('\n');
  if (isObjectId(another)) return done(one);
  if (isObjectId(id)) return shallow.value ? unlessCutOff(git, context, id, [one, other]) : done(id);
  const hint = shallow.value ? '; the repository is shallow: fetch more history (git fetch --unshallow)' : '';
  return failed('no_merge_base', `${one} and ${other} have no common ancestor here${hint}`);
}

/** A common ancestor of two commits; the first of them where a line of history ends before it comes to that ancestor. */
async function unlessCutOff(
  git: Git,
  context: GitContext,
  ancestor: string,
  [one, other]: readonly [string, string],
): Promise<GitResult<string>> {
  const flags = ['--max-parents=0', '--max-count=1'];
  const cut = await git.run({ command: 'rev-list', flags, operands: [one, other, `^${ancestor}`] }, context);
  return cut.ok ? done(cut.value.stdout.length === 0 ? ancestor : one) : cut;
}

/** Whether part of the history was left out when the repository was cloned. */
export async function isShallowRepository(git: Git, context: GitContext): Promise<GitResult<boolean>> {
  const answer = await git.line({ command: 'rev-parse', flags: ['--is-shallow-repository'] }, context);
  return answer.ok ? done(answer.value === 'true') : answer;
}
