import { done, failed, type GitResult } from './git-error.ts';
import type { Git, GitCommand, GitContext } from './git.ts';
import { packBytesOf } from './mirror-directory.ts';

/** How often the size of what arrives is looked at. */
const SIZE_LOOK_MS = 500;

/**
 * Runs a command that brings packs into the repository of its context, and ends it when they have more than `maxBytes`:
 * `repository_too_large`, with what arrived left where it is.
 */
export async function transferWithin(
  git: Git,
  command: GitCommand,
  context: GitContext & { readonly gitDir: string },
  maxBytes: number,
): Promise<GitResult<void>> {
  const grown = new AbortController();
  const look = async (): Promise<void> => {
    if ((await packBytesOf(context.gitDir)) > maxBytes) grown.abort();
  };
  const signals = context.signal === undefined ? [grown.signal] : [grown.signal, context.signal];
  // A look that fails is made up for by the one after the transfer, which is awaited.
  const watch = setInterval(() => void look().catch(() => undefined), SIZE_LOOK_MS);
  const answer = await git.run(command, { ...context, signal: AbortSignal.any(signals) });
  clearInterval(watch);
  await look();
  if (grown.signal.aborted) {
    return failed('repository_too_large', `the repository has more than ${maxBytes} bytes of packed history`);
  }
  return answer.ok ? done(undefined) : answer;
}
