export interface MirrorFacts {
  readonly key: string;
  readonly lastUsedMs: number;
  readonly bytes: number;
}

export interface CacheLimits {
  readonly maxMirrors: number;
  readonly maxBytes: number;
}

/**
 * Which mirrors have to go, least recently used first, until the rest is within the limits.
 * The most recently used one always stays: a cache that empties itself would fetch it again at once.
 */
export function chooseEvictions(mirrors: readonly MirrorFacts[], limits: CacheLimits): string[] {
  const oldestFirst = mirrors.toSorted((a, b) => a.lastUsedMs - b.lastUsedMs || (a.key < b.key ? -1 : 1));
  let count = oldestFirst.length;
  let bytes = oldestFirst.reduce((sum, mirror) => sum + mirror.bytes, 0);
  const chosen: string[] = [];
  for (const mirror of oldestFirst.slice(0, -1)) {
    if (count <= limits.maxMirrors && bytes <= limits.maxBytes) break;
    chosen.push(mirror.key);
    count -= 1;
    bytes -= mirror.bytes;
  }
  return chosen;
}
