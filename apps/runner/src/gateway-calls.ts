import type { ArtifactRequest, CompletionReport, HeartbeatRequest } from '@delta-ci/contracts';
import { retryWithBackoff } from '@delta-ci/service';
import { Refused, type GatewayClient } from './gateway-client.ts';
import type { RunnerToken } from './runner-token.ts';

/** Two tries a second at most: an outage of the gateway is over in seconds, and the lease outlives a few of them. */
const BACKOFF = { initialMs: 200, capMs: 2_000 };

/**
 * The calls of one lease, each repeated until the gateway answers: all of them are harmless to repeat. A refusal is an
 * answer and is passed on. Heartbeats are not repeated here: the next one says the same.
 */
export class GatewayCalls {
  readonly #client: GatewayClient;
  readonly #token: RunnerToken;
  /** Aborted when there is nobody left to repeat for. */
  readonly #giveUp: AbortSignal;

  constructor(client: GatewayClient, token: RunnerToken, giveUp: AbortSignal) {
    this.#client = client;
    this.#token = token;
    this.#giveUp = giveUp;
  }

  async acknowledge(leaseId: string): ReturnType<GatewayClient['acknowledge']> {
    return this.#repeat(async (token) => this.#client.acknowledge(token, leaseId));
  }

  async heartbeat(leaseId: string, beat: HeartbeatRequest): ReturnType<GatewayClient['heartbeat']> {
    return this.#client.heartbeat(await this.#token.current(), leaseId, beat);
  }

  /** Answers the offset the log continues at. */
  async appendLog(leaseId: string, offset: number, chunk: Uint8Array<ArrayBuffer>): Promise<number> {
    return this.#repeat(async (token) => (await this.#client.appendLog(token, leaseId, offset, chunk)).nextOffset);
  }

  async uploadArtifact(
    leaseId: string,
    artifact: {
      name: string;
      type: ArtifactRequest['type'];
      retentionDays: number;
      digest: string;
      bytes: Uint8Array<ArrayBuffer>;
    },
  ): ReturnType<GatewayClient['uploadArtifact']> {
    return this.#repeat(async (token) => this.#client.uploadArtifact(token, leaseId, artifact));
  }

  async complete(leaseId: string, report: CompletionReport): ReturnType<GatewayClient['complete']> {
    return this.#repeat(async (token) => this.#client.complete(token, leaseId, report));
  }

  async acknowledgeCancel(leaseId: string, report: CompletionReport): ReturnType<GatewayClient['acknowledgeCancel']> {
    return this.#repeat(async (token) => this.#client.acknowledgeCancel(token, leaseId, report));
  }

  async #repeat<T>(call: (token: string) => Promise<T>): Promise<T> {
    return retryWithBackoff(
      { ...BACKOFF, signal: this.#giveUp, isRetryable: (error) => !(error instanceof Refused) },
      async () => call(await this.#token.current()),
    );
  }
}
