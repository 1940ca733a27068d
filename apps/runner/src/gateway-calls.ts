import type { CompletionReport, HeartbeatRequest } from '@delta-ci/contracts';
import { retryWithBackoff } from '@delta-ci/service';
import {
  leastWaitUnder,
  Refused,
  type ArtifactUpload,
  type GatewayClient,
  type LeaseSpeaker,
} from './gateway-client.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { RunnerToken } from './runner-token.ts';
import { GrantOver, sendGranted } from './send-granted.ts';

/** Two tries a second at most: an outage of the gateway is over in seconds, and the lease outlives a few of them. */
const BACKOFF = { initialMs: 200, capMs: 2_000 };
/** So small an artifact is stored by one request to the gateway sooner than by the three that go past it. */
const THROUGH_GATEWAY_BYTES_MAX = 1_024 ** 2;
/** Grants that ended before their upload did; after so many the gateway takes the bytes itself. */
const GRANTS_MAX = 3;
/** A heartbeat that hangs leaves time for others within the lease's life. */
const BEATS_PER_TTL = 4;

/**
 * The calls of one lease, each repeated until the gateway answers or the lease is gone: all of them are harmless to
 * repeat. A refusal is an answer and is passed on; a stale lease ends everything that is said under it. Heartbeats are
 * not repeated here: the next one says the same.
 */
export class GatewayCalls {
  readonly #client: GatewayClient;
  readonly #token: Pick<RunnerToken, 'current'>;
  readonly #lease: { leaseId: string; ttlMs: number };
  readonly #keeper: Pick<LeaseKeeper, 'gone' | 'stopFor'>;

  constructor(
    client: GatewayClient,
    token: Pick<RunnerToken, 'current'>,
    lease: { leaseId: string; ttlMs: number },
    keeper: Pick<LeaseKeeper, 'gone' | 'stopFor'>,
  ) {
    this.#client = client;
    this.#token = token;
    this.#lease = lease;
    this.#keeper = keeper;
  }

  async acknowledge(): ReturnType<GatewayClient['acknowledge']> {
    return this.#repeat(async (speaker) => this.#client.acknowledge(speaker));
  }

  async heartbeat(beat: HeartbeatRequest): ReturnType<GatewayClient['heartbeat']> {
    return this.#client.heartbeat(await this.#speaker(), beat, this.#lease.ttlMs / BEATS_PER_TTL);
  }

  /** Answers the offset the log continues at. */
  async appendLog(offset: number, chunk: Uint8Array<ArrayBuffer>): Promise<number> {
    return this.#repeat(async (speaker) => (await this.#client.appendLog(speaker, offset, chunk)).nextOffset);
  }

  async openDebug(logOffset: number): Promise<void> {
    await this.#repeat(async (speaker) => this.#client.openDebug(speaker, logOffset));
  }

  /** A stream of what is typed. Not repeated here: where there is none, or it breaks, is the caller's to open another. */
  async followDebug(timeoutMs: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return this.#client.followDebug(await this.#speaker(), timeoutMs, signal);
  }

  /**
   * Stores and records an artifact: a small one by one request to the gateway; a large one straight in the store, if that has
   * addresses of its own.
   */
  async uploadArtifact(artifact: ArtifactUpload): ReturnType<GatewayClient['uploadArtifact']> {
    const { bytes, ...named } = artifact;
    const record = { ...named, sizeBytes: bytes.byteLength };
    for (let grants = 0; bytes.byteLength > THROUGH_GATEWAY_BYTES_MAX && grants < GRANTS_MAX; grants += 1) {
      const grant = await this.#repeat(async (speaker) => this.#client.grantUpload(speaker, record));
      if (grant === null) break;
      try {
        const again = async (send: () => Promise<void>) => this.#repeat(send);
        await sendGranted(grant, bytes, again, this.#keeper.gone);
        const { uploadId } = grant;
        return await this.#repeat(async (speaker) => this.#client.recordUpload(speaker, { ...record, uploadId }));
      } catch (error) {
        const lost = error instanceof GrantOver || (error instanceof Refused && error.code === 'not_found');
        if (!lost) throw error;
      }
    }
    return this.#repeat(async (speaker) => this.#client.uploadArtifact(speaker, artifact));
  }

  async complete(report: CompletionReport): ReturnType<GatewayClient['complete']> {
    return this.#repeat(async (speaker) => this.#client.complete(speaker, report));
  }

  async acknowledgeCancel(report: CompletionReport): ReturnType<GatewayClient['acknowledgeCancel']> {
    return this.#repeat(async (speaker) => this.#client.acknowledgeCancel(speaker, report));
  }

  async #repeat<T>(call: (speaker: LeaseSpeaker) => Promise<T>): Promise<T> {
    try {
      return await retryWithBackoff(
        {
          ...BACKOFF,
          leastWaitMs: leastWaitUnder(this.#lease.ttlMs),
          signal: this.#keeper.gone,
          isRetryable: (error) => !isAnswer(error),
        },
        async () => call(await this.#speaker()),
      );
    } catch (error) {
      if (error instanceof Refused && error.stale) this.#keeper.stopFor('stale');
      throw error;
    }
  }

  async #speaker(): Promise<LeaseSpeaker> {
    const { leaseId } = this.#lease;
    return { token: await this.#token.current(), leaseId, signal: this.#keeper.gone };
  }
}

/** What was answered is not asked again. */
const isAnswer = (error: unknown): boolean => error instanceof Refused || error instanceof GrantOver;
