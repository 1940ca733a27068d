import type { HeartbeatAnswer, HeartbeatRequest } from '@delta-ci/contracts';
import { Refused } from './gateway-client.ts';

/** A new phase is told so soon: what is over by then, as the whole of a small job may be, costs no heartbeat. */
const PHASE_MS = 100;

/** Why a job has to stop. */
export type StopReason = 'canceled' | 'stale' | 'lost-contact' | 'shutdown';

export interface KeeperPorts {
  beat: (beat: HeartbeatRequest) => Promise<HeartbeatAnswer>;
  onTrouble: (error: unknown) => void;
}

/**
 * Keeps one lease alive by heartbeats, and says when the job has to stop: the control plane wants it canceled, the lease
 * is not ours any more, or nobody answered for as long as the lease lives, so that somebody else may have the job by now.
 * The lease's life is counted from the moment a heartbeat was sent, on a clock that nobody sets: never longer than the
 * control plane's own count.
 */
export class LeaseKeeper {
  readonly #ports: KeeperPorts;
  readonly #stop = new AbortController();
  readonly #gone = new AbortController();
  readonly #lease: { ttlMs: number; heartbeatMs: number };
  #reason: StopReason | null = null;
  #beat: HeartbeatRequest = { phase: 'starting', percent: null, step: null, message: null, logCursor: 0 };
  #timer: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #kept = true;
  #started = false;

  /** From here on the lease has to be acknowledged within its acceptance time. */
  constructor(lease: { ttlMs: number; heartbeatMs: number; acceptanceMs: number }, ports: KeeperPorts) {
    this.#ports = ports;
    this.#lease = lease;
    this.#lastsUntil(performance.now() + lease.acceptanceMs);
  }

  /** Aborted when the job has to stop; `reason` says why. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Aborted when the lease is not ours any more, or may not be: nothing more is to be said under it. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get reason(): StopReason | null {
    return this.#reason;
  }

  /** The lease was acknowledged. @param sentAtMs when that was said, as `performance.now()` */
  start(sentAtMs: number): void {
    this.#lastsUntil(sentAtMs + this.#lease.ttlMs);
    this.#started = true;
    this.#schedule(this.#beat.phase === 'starting' ? this.#lease.heartbeatMs : this.#soonMs);
  }

  /** What the next heartbeat says. A new phase is told soon: followers want to see that the job runs. */
  report(progress: Partial<HeartbeatRequest>): void {
    const before = this.#beat.phase;
    this.#beat = { ...this.#beat, ...progress };
    if (this.#beat.phase !== before && this.#started) this.#schedule(this.#soonMs);
  }

  get #soonMs(): number {
    return Math.min(PHASE_MS, this.#lease.heartbeatMs);
  }

  /** The first reason counts; but a lease that is gone is gone, whatever else the job was stopped for. */
  stopFor(reason: StopReason): void {
    if (this.#gone.signal.aborted) return;
    const gone = reason === 'stale' || reason === 'lost-contact';
    if (this.#reason !== null && !gone) return;
    this.#reason = reason;
    this.#stop.abort(new Error(`the job has to stop: ${reason}`));
    if (gone) this.#gone.abort(new Error(`the lease is gone: ${reason}`));
  }

  /** Ends the heartbeats, waiting for one under way. The lease's life still counts: a last report may come too late. */
  async stopBeating(): Promise<void> {
    this.#kept = false;
    clearTimeout(this.#timer);
    await this.#beating;
  }

  async close(): Promise<void> {
    await this.stopBeating();
    clearTimeout(this.#deadline);
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#kept || this.#gone.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#beating = this.#beating.then(async () => this.#sendBeat());
    }, delayMs);
  }

  async #sendBeat(): Promise<void> {
    if (!this.#kept || this.#gone.signal.aborted) return;
    const sentAtMs = performance.now();
    try {
      const answer = await this.#ports.beat(this.#beat);
      if (answer.extend) this.#lastsUntil(sentAtMs + answer.ttlMs);
      if (answer.cancelRequested) this.stopFor('canceled');
      else if (!answer.extend) this.stopFor('stale');
    } catch (error) {
      if (error instanceof Refused && error.stale) this.stopFor('stale');
      else if (!this.#gone.signal.aborted) this.#ports.onTrouble(error);
    }
    this.#schedule(this.#lease.heartbeatMs);
  }

  #lastsUntil(atMs: number): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.stopFor('lost-contact'), Math.max(0, atMs - performance.now()));
  }
}
