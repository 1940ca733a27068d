import { z } from 'zod';

/** Forges stop at about 250 bytes; file systems, where refs are files, at 255 for one part. */
const MAX_REF_BYTES = 512;
const MAX_PART_BYTES = 244;

/**
 * What one part of a ref may consist of: letters, digits and marks of any script, and punctuation people use in branch names.
 * Stricter than git: no quotes that nest commands, no `$ ; | < > "` nor backquote, nothing invisible or reordering.
 * A part does not begin with `-` (it could be taken for an option) nor with `.`.
 */
const REF_PART = /^[\p{L}\p{N}\p{M}_+@#=%!&(){}'][\p{L}\p{N}\p{M}\p{So}_+@#=,%!&(){}'.-]*$/u;

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** Why a text is no ref name that git and a shell cannot misread; undefined when it is one. */
export function whyNoRefName(ref: string): string | undefined {
  if (bytesOf(ref) > MAX_REF_BYTES) return `is longer than ${MAX_REF_BYTES} bytes`;
  const parts = ref.split('/');
  if (parts[0] !== 'refs') return 'does not begin with refs/';
  if (parts.length < 3) return 'needs a kind and a name, as in refs/heads/main';
  for (const part of parts) {
    if (part === '') return 'has an empty part';
    if (bytesOf(part) > MAX_PART_BYTES) return `has a part longer than ${MAX_PART_BYTES} bytes`;
    if (!REF_PART.test(part)) return 'has a part with a character that is not accepted, or that begins with "-" or "."';
    if (part.includes('..') || part.includes('@{')) return 'contains ".." or "@{", which git gives a meaning';
    if (part.endsWith('.') || part.endsWith('.lock')) return 'has a part that ends in "." or ".lock"';
  }
  return undefined;
}

/** A full ref name such as `refs/heads/main` or `refs/pull/7/head`. */
export const RefName = z
  .string()
  .min(1)
  .max(1_000)
  .superRefine((ref, context) => {
    const reason = whyNoRefName(ref);
    if (reason !== undefined) context.addIssue({ code: 'custom', message: `the ref ${reason}` });
  });
export type RefName = z.infer<typeof RefName>;
