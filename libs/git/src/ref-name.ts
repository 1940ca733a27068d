import { done, failed, type GitResult } from './git-error.ts';
import { oneSafeLine } from './text-for-people.ts';

/** Forges stop at about 250 bytes; file systems, where refs are files, at 255 for one part. */
const MAX_REF_BYTES = 512;
const MAX_PART_BYTES = 244;

/**
 * What one part of a ref may consist of: letters, digits and marks of any script, and punctuation people use in branch names.
 * Stricter than git: no quotes that nest commands, no `$ ; | < > "` nor backquote, nothing invisible or reordering.
 * A part does not begin with `-` (it could be taken for an option) nor with `.`.
 */
const REF_PART = /^[\p{L}\p{N}\p{M}_+@#=%!&(){}'][\p{L}\p{N}\p{M}\p{So}_+@#=,%!&(){}'.-]*$/u;

function complaint(ref: string): string | undefined {
  if (Buffer.byteLength(ref) > MAX_REF_BYTES) return `is longer than ${MAX_REF_BYTES} bytes`;
  const parts = ref.split('/');
  if (parts[0] !== 'refs') return 'does not begin with refs/';
  if (parts.length < 3) return 'needs a kind and a name, as in refs/heads/main';
  for (const part of parts) {
    if (part === '') return 'has an empty part';
    if (Buffer.byteLength(part) > MAX_PART_BYTES) return `has a part longer than ${MAX_PART_BYTES} bytes`;
    if (!REF_PART.test(part)) return 'has a part with a character that is not accepted, or that begins with "-" or "."';
    if (part.includes('..') || part.includes('@{')) return 'contains ".." or "@{", which git gives a meaning';
    if (part.endsWith('.') || part.endsWith('.lock')) return 'has a part that ends in "." or ".lock"';
  }
  return undefined;
}

/** Accepts a full ref name such as `refs/heads/main` or `refs/pull/7/head`; refuses whatever git or a shell could misread. */
export function parseRef(text: string): GitResult<string> {
  const reason = complaint(text);
  return reason === undefined ? done(text) : failed('invalid_ref', `"${oneSafeLine(text, 120)}" ${reason}`);
}
