import { shortHash } from '@delta-ci/contracts';

/** Longest key a job may have. */
const KEY_LENGTH_MAX = 100;
const HASH_LENGTH = 8;

/**
 * Keys for jobs, from what they do and for whom: `test packages/cart` is `test-packages-cart`. Each text gets a key of its
 * own; where two would come out alike, or one too long, a hash of the whole text tells them apart. Depends on the set of
 * texts alone, not on their order.
 */
export function keysFor(texts: readonly string[]): ReadonlyMap<string, string> {
  const distinct = [...new Set(texts)];
  const count = new Map<string, number>();
  for (const slug of distinct.map(slugOf)) count.set(slug, (count.get(slug) ?? 0) + 1);
  return new Map(
    distinct.map((text) => {
      const slug = slugOf(text);
      const alone = count.get(slug) === 1 && slug.length <= KEY_LENGTH_MAX;
      return [text, alone ? slug : `${slug.slice(0, KEY_LENGTH_MAX - HASH_LENGTH - 1)}-${shortHash(text)}`];
    }),
  );
}

function slugOf(text: string): string {
  const slug = text
    .toLowerCase()
    .replace(/[^a-z0-9_]+/gu, '-')
    .replace(/^[-_]+|-+$/gu, '');
  return slug === '' ? 'job' : slug;
}
