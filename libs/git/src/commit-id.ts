import { done, failed, type GitResult } from './git-error.ts';
import { oneSafeLine } from './text-for-people.ts';

const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u;
const NULL_ID = /^0+$/u;

/** Whether a text is a full object id, SHA-1 or SHA-256, in lower case. The null id is one too. */
export function isObjectId(text: string): boolean {
  return OBJECT_ID.test(text);
}

/**
 * Accepts a full lower-case commit id. Abbreviations are refused because they can become ambiguous,
 * the null id because forges write it where there is no commit.
 */
export function parseCommitId(text: string): GitResult<string> {
  if (!isObjectId(text)) {
    return failed(
      'invalid_commit_id',
      `"${oneSafeLine(text, 80)}" is not a full commit id (40 or 64 hexadecimal digits)`,
    );
  }
  if (NULL_ID.test(text)) return failed('invalid_commit_id', 'the null id stands for "no commit" and names none');
  return done(text);
}
