import type { HeartbeatAnswer, HeartbeatRequest } from '@delta-ci/contracts';
import { Refused } from './gateway-client.ts';

/** Why a job has to stop. */
export type StopReason = 'canceled' | 'stale' | 'lost-contact' | 'shutdown';

export interface KeeperPorts {
  beat: (beat: HeartbeatRequest) => Promise<HeartbeatAnswer>;
  nowMs: () => number;
  onTrouble: (error: unknown) => void;
}

/**
 * Keeps one lease alive by heartbeats, and says when the job has to stop: the control plane wants it canceled, the lease
 * is not ours any more, or nobody answered for as long as the lease lives, so that somebody else may have the job by now.
 */
export class LeaseKeeper {
  readonly #ports: KeeperPorts;
  readonly #stop = new AbortController();
  #ttlMs: number;
  readonly #heartbeatMs: number;
  #reason: StopReason | null = null;
  #answeredAtMs: number;
  #beat: HeartbeatRequest = { phase: 'starting', percent: null, step: null, message: null, logCursor: 0 };
  #timer: NodeJS.Timeout | null = null;
  #beating: Promise<void> = Promise.resolve();
  #kept = true;

  constructor(lease: { ttlMs: number; heartbeatMs: number }, ports: KeeperPorts) {
    this.#ports = ports;
    this.#ttlMs = lease.ttlMs;
    this.#heartbeatMs = lease.heartbeatMs;
    this.#answeredAtMs = ports.nowMs();
  }

  /** Aborted when the job has to stop; `reason` says why. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get reason(): StopReason | null {
    return this.#reason;
  }

  start(): void {
    this.#schedule(this.#heartbeatMs);
  }

  /** What the next heartbeat says. A new phase is told at once: followers want to see that the job runs. */
  report(progress: Partial<HeartbeatRequest>): void {
    const before = this.#beat.phase;
    this.#beat = { ...this.#beat, ...progress };
    if (this.#kept && this.#beat.phase !== before) this.#schedule(0);
  }

  stopFor(reason: StopReason): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#stop.abort(reason);
  }

  /** Ends the heartbeats; waits for one under way. */
  async release(): Promise<void> {
    this.#kept = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#beating;
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#beating = this.#beating.then(async () => this.#sendBeat());
    }, delayMs);
  }

  async #sendBeat(): Promise<void> {
    if (!this.#kept) return;
    try {
      const answer = await this.#ports.beat(this.#beat);
      this.#answeredAtMs = this.#ports.nowMs();
      this.#ttlMs = answer.ttlMs;
      if (answer.cancelRequested) this.stopFor('canceled');
      if (!answer.extend && !answer.cancelRequested) this.stopFor('stale');
    } catch (error) {
      if (error instanceof Refused && error.stale) this.stopFor('stale');
      else this.#ports.onTrouble(error);
      if (this.#ports.nowMs() - this.#answeredAtMs > this.#ttlMs) this.stopFor('lost-contact');
    }
    if (this.#kept && this.#reason !== 'stale') this.#schedule(this.#heartbeatMs);
  }
}
