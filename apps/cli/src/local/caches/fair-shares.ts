import { sizesOf, type KeptCache } from './cache-index.ts';

/**
 * Which caches go, so that the others have no more than `bytesMax` together: those first of repositories that have more than their
 * share of it, which is the same for each that has caches. Of these that which was of no use for the longest time, and no more than has
 * to. What a run has used stays, even if others have to go below their share for it.
 */
export function whichHaveNoRoom(
  caches: readonly KeptCache[],
  bytesMax: number,
  isUsed: (cache: KeptCache) => boolean,
): KeptCache[] {
  const bytesOf = new Map<string, number>();
  const sizeOf = ({ content }: KeptCache): number => sizesOf(content).sizeBytes;
  const add = (cache: KeptCache, bytes: number): void =>
    void bytesOf.set(ownerOf(cache), (bytesOf.get(ownerOf(cache)) ?? 0) + bytes);
  for (const cache of caches) add(cache, sizeOf(cache));
  let tooMuch = [...bytesOf.values()].reduce((sum, bytes) => sum + bytes, 0) - bytesMax;
  const share = bytesMax / bytesOf.size;
  const unused = caches.filter((cache) => !isUsed(cache)).toSorted((one, other) => one.usedAtMs - other.usedAtMs);
  const going = new Set<KeptCache>();
  // A repository that is found within its share stays there: shares do not change, and nothing is added.
  for (const least of [share, 0]) {
    for (const cache of unused) {
      if (tooMuch <= 0 || going.has(cache) || (bytesOf.get(ownerOf(cache)) ?? 0) <= least) continue;
      going.add(cache);
      add(cache, -sizeOf(cache));
      tooMuch -= sizeOf(cache);
    }
  }
  return [...going];
}

const ownerOf = ({ repository, identity }: KeptCache): string => JSON.stringify([repository, identity]);
