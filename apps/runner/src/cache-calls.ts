import { createHash } from 'node:crypto';
import type { CacheChunk, FindCacheAnswer, OfferedChunk, SaveCacheAnswer, SaveCacheRequest } from '@delta-ci/contracts';
import { CacheFailed, type CacheStore } from '@delta-ci/sandbox';
import { retryWithBackoff } from '@delta-ci/service';
import { Refused, bytesOf, leastWaitMs, type GatewayClient, type LeaseSpeaker } from './gateway-client.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { RunnerToken } from './runner-token.ts';
import { GrantOver, sendGranted } from './send-granted.ts';

/** A cache is not worth waiting for: what does not answer within a few seconds is done without. */
const RETRY = { initialMs: 200, capMs: 2_000, attemptsMax: 4, leastWaitMs };
const DIRECT_MS = 60_000;

/** What is refused of a cache that was there a moment ago. */
const GONE: ReadonlySet<string> = new Set(['not_found', 'digest_mismatch']);

/** The caches that a mesh keeps, asked for under one lease: a few times each, and no longer than `signal` says. */
export class CacheCalls implements CacheStore {
  readonly #client: GatewayClient;
  readonly #token: Pick<RunnerToken, 'current'>;
  readonly #leaseId: string;
  readonly #keeper: Pick<LeaseKeeper, 'gone' | 'stopFor'>;

  constructor(
    client: GatewayClient,
    token: Pick<RunnerToken, 'current'>,
    leaseId: string,
    keeper: Pick<LeaseKeeper, 'gone' | 'stopFor'>,
  ) {
    this.#client = client;
    this.#token = token;
    this.#leaseId = leaseId;
    this.#keeper = keeper;
  }

  async find(key: string, signal: AbortSignal): Promise<FindCacheAnswer> {
    return this.#repeat(signal, async (speaker) => this.#client.findCache(speaker, key));
  }

  /** Straight from the store if it has an address, and answers what was asked for. */
  async download(key: string, chunk: OfferedChunk, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const { url, ...named } = chunk;
    const straight = url === null ? null : await fromStore(url, chunk.sizeBytes, signal);
    if (straight !== null && digestOf(straight) === chunk.digest) return straight;
    // The gateway looks at what it gives, and removes a cache of which the store has something else.
    return this.#repeat(signal, async (speaker) => this.#client.downloadChunk(speaker, key, named));
  }

  async upload(_: string, chunk: CacheChunk, bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<void> {
    const { stands, grant } = await this.#repeat(signal, async (speaker) => this.#client.grantChunk(speaker, chunk));
    if (stands) return;
    if (grant !== null && (await this.#sendStraight(grant, bytes, signal))) return;
    await this.#repeat(signal, async (speaker) => this.#client.uploadChunk(speaker, chunk.digest, bytes));
  }

  async giveUp(cache: SaveCacheRequest, signal: AbortSignal): Promise<void> {
    await this.#repeat(signal, async (speaker) =>
      this.#client.giveUpCache(speaker, cache).catch((error: unknown) => {
        // A gateway that knows no such call keeps it: that another is kept is then told as always.
        if (!(error instanceof Refused) || error.stale) throw error;
      }),
    );
  }

  async save(cache: SaveCacheRequest, signal: AbortSignal): Promise<SaveCacheAnswer | null> {
    return this.#repeat(signal, async (speaker) =>
      this.#client.saveCache(speaker, cache).catch((error: unknown) => {
        if (error instanceof Refused && error.code === 'conflicting_repeat') return null;
        throw error;
      }),
    );
  }

  /** Whether the store took it; a grant that is over is not worth another where the gateway takes it as well. */
  async #sendStraight(
    grant: Parameters<typeof sendGranted>[0],
    bytes: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      const again = async (send: () => Promise<void>) => retryWithBackoff({ ...RETRY, signal, isRetryable }, send);
      await sendGranted(grant, bytes, again, signal);
      return true;
    } catch (error) {
      if (error instanceof GrantOver) return false;
      throw named(error);
    }
  }

  async #repeat<T>(signal: AbortSignal, call: (speaker: LeaseSpeaker) => Promise<T>): Promise<T> {
    const ends = AbortSignal.any([signal, this.#keeper.gone]);
    try {
      return await retryWithBackoff({ ...RETRY, signal: ends, isRetryable }, async () =>
        call({ token: await this.#token.current(), leaseId: this.#leaseId, signal: ends }),
      );
    } catch (error) {
      if (error instanceof Refused && error.stale) this.#keeper.stopFor('stale');
      throw named(error);
    }
  }
}

/** A refusal ends the cache by a name of its own. */
const named = (error: unknown): unknown =>
  error instanceof Refused ? new CacheFailed(GONE.has(error.code) ? 'damaged' : 'refused', error.message) : error;

/** What was answered is not asked again, nor whoever wants to be left alone for longer than a cache is worth. */
const isRetryable = (error: unknown): boolean =>
  !(error instanceof Refused || error instanceof GrantOver) && leastWaitMs(error) <= RETRY.capMs;

/** Null when the store does not give it: the gateway is asked then. The address is a key for as long as it holds. */
async function fromStore(url: string, sizeBytes: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const ends = AbortSignal.any([signal, AbortSignal.timeout(DIRECT_MS)]);
    const response = await fetch(url, { redirect: 'error', signal: ends });
    if (response.ok) return await bytesOf(response, sizeBytes);
    await response.body?.cancel();
    return null;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
