import { whyNoRefName } from '@delta-ci/contracts';
import { done, failed, type GitResult } from './git-error.ts';
import { oneSafeLine } from './text-for-people.ts';

/** Accepts a full ref name such as `refs/heads/main` or `refs/pull/7/head`; refuses whatever git or a shell could misread. */
export function parseRef(text: string): GitResult<string> {
  const reason = whyNoRefName(text);
  return reason === undefined ? done(text) : failed('invalid_ref', `"${oneSafeLine(text, 120)}" ${reason}`);
}
