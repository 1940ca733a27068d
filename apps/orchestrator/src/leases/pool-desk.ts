import type {
  Actor,
  GrantedLease,
  LeaseHash,
  PoolName,
  Refusal,
  RunnerCapabilities,
  RunnerId,
} from '@delta-ci/contracts';
import type { PullDispatchOutcome, PulledDispatch } from '@delta-ci/bus';
import { assignWaiting } from '@delta-ci/domain';

/** A runner that waits for work, with everything its grant will need. */
export interface WaitingRunner {
  commandId: string;
  actor: Actor;
  runnerId: RunnerId;
  leaseHash: LeaseHash;
  capabilities: RunnerCapabilities;
  waitMs: number;
}

/** What became of a grant. */
export type GrantOutcome =
  | { kind: 'granted'; lease: GrantedLease }
  /** The attempt does not wait any more. */
  | { kind: 'gone' }
  /** The attempt waits on: it is this runner that may not have it. */
  | { kind: 'refused'; refusal: Refusal };

/** How a wait ends: `none` when there was no work in time, or when the desk closes. */
export type WaitEnd = Exclude<GrantOutcome, { kind: 'gone' }> | { kind: 'none' };

const NONE: WaitEnd = { kind: 'none' };

/** How far the queue was looked through for a runner. */
export interface QueueLook {
  readonly capabilities: RunnerCapabilities;
  /** When the youngest attempt that it was offered was queued, in ms since the epoch; `Infinity` when the queue had nothing for it. */
  readonly upToMs: number;
}

export interface DeskPorts {
  /** Takes queued attempts of the pool: those there now, or the first to come within `expiresMs`. */
  pull: (max: number, expiresMs: number) => Promise<PullDispatchOutcome>;
  /** Decides the grant in the log. Rejects when it is not known whether it is there. */
  grant: (runner: WaitingRunner, work: PulledDispatch) => Promise<GrantOutcome>;
  pause: (ms: number) => Promise<void>;
  onTrouble: (error: unknown) => void;
}

/**
 * How long one pull waits: a runner that comes later in the meantime is served by it too, and that the queue has nothing
 * for it is known only after the next one.
 */
const PULL_MS = 2_000;
/** Work that no runner waiting now can do comes back after this, for others to take. */
const MISFIT_MS = 1_000;
/** After the bus could not be asked. */
const TROUBLE_MS = 500;

interface Seat {
  runner: WaitingRunner;
  settle: (end: WaitEnd) => void;
  /** Its time is up, or nobody listens any more: a grant under way is still its own, and no further one. */
  isOver: boolean;
}

/**
 * Brings waiting runners and queued attempts of one pool together. Attempts are pulled only while somebody waits, and a
 * message is acknowledged only after its grant is in the log: a crash in between offers the work again, and the log
 * then refuses the second grant.
 */
export class PoolDesk {
  readonly pool: PoolName;
  readonly #ports: DeskPorts;
  readonly #seats: Seat[] = [];
  readonly #grants = new Set<Promise<void>>();
  /** Runners whose request is not answered yet. */
  readonly #served = new Map<RunnerId, Seat>();
  /** Since somebody wanted to know. */
  readonly #looks = new Map<RunnerId, QueueLook>();
  #serving: Promise<void> | null = null;
  #open = true;

  constructor(pool: PoolName, ports: DeskPorts) {
    this.pool = pool;
    this.#ports = ports;
  }

  /**
   * How far the queue was looked through, and for whom, since this was last asked. Attempts come out of the queue in the
   * order in which they were queued, or nearly so: one that such a runner could do, and that was queued well before, is not
   * in it any more, and its message was lost. Whether the runners still sit does not matter: whoever asks now and then would
   * come time and again when they have just sat down anew.
   */
  takeLooks(): readonly QueueLook[] {
    const taken = [...this.#looks.values()];
    this.#looks.clear();
    return taken;
  }

  /** Waits for work. */
  async wait(runner: WaitingRunner): Promise<WaitEnd> {
    if (!this.#open) return NONE;
    // One job at a time: a second request of the same runner gets nothing while the first is served.
    const served = this.#served.get(runner.runnerId);
    if (served !== undefined) {
      // Asking again for the same lease, without patience, says that nobody listens to the first request any more.
      if (runner.waitMs === 0 && runner.leaseHash === served.runner.leaseHash) this.#leave(served);
      return NONE;
    }
    const { promise, resolve } = Promise.withResolvers<WaitEnd>();
    const seat: Seat = { runner, settle: resolve, isOver: false };
    this.#served.set(runner.runnerId, seat);
    const patience = setTimeout(() => this.#leave(seat), runner.waitMs);
    this.#seats.push(seat);
    this.#serve();
    try {
      return await promise;
    } finally {
      clearTimeout(patience);
      this.#served.delete(runner.runnerId);
    }
  }

  /** Sends everybody home; waits until grants under way are decided and what was still pulled is handed back. */
  async close(): Promise<void> {
    this.#open = false;
    for (let seat = this.#seats[0]; seat !== undefined; seat = this.#seats[0]) this.#leave(seat);
    await this.#serving;
    await Promise.all(this.#grants);
  }

  #leave(seat: Seat): void {
    seat.isOver = true;
    const at = this.#seats.indexOf(seat);
    // Not seated any more: its grant is being decided, and the answer comes from there.
    if (at === -1) return;
    this.#seats.splice(at, 1);
    seat.settle(NONE);
  }

  #serve(): void {
    if (this.#serving !== null) return;
    this.#serving = this.#serveWhileSomebodyWaits().finally(() => {
      this.#serving = null;
      if (this.#open && this.#seats.length > 0) this.#serve();
    });
  }

  async #serveWhileSomebodyWaits(): Promise<void> {
    while (this.#open && this.#seats.length > 0) {
      try {
        const asking = [...this.#seats];
        const { messages, end, wasDrained } = await this.#ports.pull(asking.length, PULL_MS);
        const offered = this.#offer(messages);
        const toldNone = asking.filter((seat) => !offered.has(seat));
        // Of a queue that has more, they have seen the beginning.
        const youngestMs = Math.max(...messages.map(({ dispatch }) => dispatch.queuedAtMs));
        if (wasDrained || messages.length > 0) this.#looked(toldNone, wasDrained ? Infinity : youngestMs);
        if (messages.length === 0 && end !== 'expired') await this.#ports.pause(TROUBLE_MS);
      } catch (error) {
        this.#ports.onTrouble(error);
        await this.#ports.pause(TROUBLE_MS);
      }
    }
  }

  #looked(seats: readonly Seat[], upToMs: number): void {
    for (const { runner } of seats) {
      const before = this.#looks.get(runner.runnerId)?.upToMs ?? upToMs;
      this.#looks.set(runner.runnerId, { capabilities: runner.capabilities, upToMs: Math.max(before, upToMs) });
    }
  }

  /** @returns whom something was offered */
  #offer(messages: readonly PulledDispatch[]): ReadonlySet<Seat> {
    const attempts = messages.map((work) => ({ work, ...work.dispatch }));
    const runners = this.#seats.map((seat) => ({ seat, capabilities: seat.runner.capabilities }));
    const { assigned, unassigned } = assignWaiting(attempts, runners);
    for (const { attempt, runner } of assigned) {
      this.#seats.splice(this.#seats.indexOf(runner.seat), 1);
      this.#looked([runner.seat], attempt.queuedAtMs);
      const grant = this.#grantTo(runner.seat, attempt.work).finally(() => this.#grants.delete(grant));
      this.#grants.add(grant);
    }
    for (const { work } of unassigned) work.nak(this.#seats.length === 0 ? 0 : MISFIT_MS);
    return new Set(assigned.map(({ runner }) => runner.seat));
  }

  async #grantTo(seat: Seat, work: PulledDispatch): Promise<void> {
    try {
      const outcome = await this.#ports.grant(seat.runner, work);
      // Acknowledged, work that waits on would be heard of again only when it counts as forgotten.
      if (outcome.kind === 'refused') work.nak(0);
      else work.ack();
      if (outcome.kind === 'gone') this.#seatAgain(seat);
      else seat.settle(outcome);
    } catch (error) {
      // Not known whether the grant is in the log: the message comes again, and the log decides.
      this.#ports.onTrouble(error);
      work.nak(TROUBLE_MS);
      seat.settle(NONE);
    }
  }

  #seatAgain(seat: Seat): void {
    if (!this.#open || seat.isOver) {
      seat.settle(NONE);
      return;
    }
    this.#seats.unshift(seat);
    this.#serve();
  }
}
