/** Rate per second, and how many may come at once after a quiet time. */
export interface BucketLimits {
  readonly perSecond: number;
  readonly atOnce: number;
}

/** More sources than this at one time are an attack: the longest silent one is forgotten for each new one. */
const SOURCES_MAX = 10_000;

/** One token bucket per source. A source that stays within its rate never notices. */
export class TokenBuckets {
  readonly #limits: BucketLimits;
  readonly #nowMs: () => number;
  /** Oldest use first: using a bucket moves it to the end. */
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(limits: BucketLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** Takes one token. @returns 0, or the milliseconds until there is one again. */
  take(source: string): number {
    const { perSecond, atOnce } = this.#limits;
    const nowMs = this.#nowMs();
    const bucket = this.#buckets.get(source) ?? { tokens: atOnce, atMs: nowMs };
    const gained = (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1_000;
    const tokens = Math.min(atOnce, bucket.tokens + gained);
    const taken = tokens >= 1;
    this.#buckets.delete(source);
    this.#buckets.set(source, { tokens: taken ? tokens - 1 : tokens, atMs: nowMs });
    this.#forgetOldest();
    return taken ? 0 : Math.ceil(((1 - tokens) * 1_000) / perSecond);
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= SOURCES_MAX) return;
    const oldest = this.#buckets.keys().next();
    if (!oldest.done) this.#buckets.delete(oldest.value);
  }
}
