import type { CapacityHistory, CapacityPolicy, CapacitySnapshot, EpochMs, RunnerId } from '@delta-ci/contracts';
import { NO_CAPACITY_HISTORY, decideCapacity, rememberCapacity, type CapacityDecision } from '@delta-ci/domain';
import type { PoolDemand } from '@delta-ci/event-log';
import type { Provisioner, RunnerEnd } from './provisioner.ts';

export interface ControllerPorts {
  demand: () => Promise<PoolDemand>;
  provisioner: Provisioner;
  /** Records the decision; called when it says something new. */
  decided: (decision: CapacityDecision, atMs: EpochMs) => Promise<void>;
  onTrouble: (error: unknown) => void;
}

/**
 * Looks at one pool again and again and acts on the difference between what is and what should be. It remembers nothing
 * that matters: a missed look delays, a repeated one changes nothing.
 */
export class PoolController {
  readonly #policy: CapacityPolicy;
  readonly #ports: ControllerPorts;
  readonly #intervalMs: number;
  #history: CapacityHistory = NO_CAPACITY_HISTORY;
  #said = '';
  #failedStarts = 0;
  #lastFailedStartAtMs: EpochMs | null = null;
  #nowMs: EpochMs = 0;
  #cost = 0;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #again = false;
  #open = true;

  constructor(policy: CapacityPolicy, ports: ControllerPorts, intervalMs: number) {
    this.#policy = policy;
    this.#ports = ports;
    this.#intervalMs = intervalMs;
  }

  /** Looks now, or again right after the look under way. */
  look(): void {
    if (!this.#open) return;
    if (this.#looking !== null) {
      this.#again = true;
      return;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = null;
      if (!this.#open) return;
      if (this.#again) {
        this.#again = false;
        this.look();
      } else {
        this.#timer = setTimeout(() => this.look(), this.#intervalMs);
      }
    });
  }

  /** A runner that never registered is a failed start; any that did closes the breaker. */
  runnerEnded({ runnerId }: RunnerEnd): void {
    if (runnerId === null) {
      this.#failedStarts += 1;
      this.#lastFailedStartAtMs = this.#nowMs;
    } else {
      this.#failedStarts = 0;
    }
    this.look();
  }

  async close(): Promise<void> {
    this.#open = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#looking;
  }

  async #lookOnce(): Promise<void> {
    try {
      const demand = await this.#ports.demand();
      const snapshot = this.#snapshotOf(demand);
      const decision = decideCapacity(this.#policy, snapshot, this.#history);
      this.#history = rememberCapacity(this.#policy, snapshot, this.#history, decision);
      this.#act(decision, freeRunners(demand));
      await this.#tell(decision, snapshot.nowMs);
    } catch (error) {
      this.#ports.onTrouble(error);
    }
  }

  #snapshotOf(demand: PoolDemand): CapacitySnapshot {
    const runners = this.#ports.provisioner.runners();
    const minutes = this.#nowMs === 0 ? 0 : (demand.nowMs - this.#nowMs) / 60_000;
    this.#cost += runners.length * Math.max(0, minutes) * this.#policy.pricePerRunnerMinute;
    this.#nowMs = demand.nowMs;
    if (runners.some(({ runnerId }) => runnerId !== null)) this.#failedStarts = 0;
    const free = freeRunners(demand);
    const registered = runners.filter(({ runnerId, retiring }) => runnerId !== null && !retiring);
    return {
      nowMs: demand.nowMs,
      queued: demand.queued,
      oldestQueuedAgeMs: demand.oldestQueuedAgeMs,
      // One that has reported its job and is removing what that left takes up its place until it ends, and takes no other job.
      leased: registered.filter(({ runnerId }) => runnerId !== null && !free.has(runnerId)).length,
      idle: registered.filter(({ runnerId }) => runnerId !== null && free.has(runnerId)).length,
      starting: runners.filter(({ runnerId }) => runnerId === null).length,
      failedStartsInARow: this.#failedStarts,
      lastFailedStartAtMs: this.#lastFailedStartAtMs,
      costSoFar: this.#cost,
      errorRate: 0,
    };
  }

  #act(decision: CapacityDecision, free: ReadonlySet<RunnerId>): void {
    const { provisioner } = this.#ports;
    if (decision.action === 'start') for (let i = 0; i < decision.count; i += 1) provisioner.start();
    if (decision.action !== 'retire') return;
    const candidates = provisioner
      .runners()
      .filter(({ runnerId, retiring }) => runnerId !== null && !retiring && free.has(runnerId));
    for (const { name } of candidates.slice(0, decision.count)) provisioner.retire(name);
  }

  /** The log holds every change of mind, not every look: the same decision for the same reasons is told once. */
  async #tell(decision: CapacityDecision, atMs: EpochMs): Promise<void> {
    const reasons = decision.applied.map((reason) => reason.replace(/\d+/g, 'N')).join('; ');
    const said = `${decision.action} ${decision.desired} ${reasons}`;
    if (decision.action === 'hold' && said === this.#said) return;
    this.#said = said;
    await this.#ports.decided(decision, atMs);
  }
}

/** Runners that can take a job. Each takes one in its life: one that acknowledged a lease is spent when that is over. */
function freeRunners({ idleRunners, spentRunners }: PoolDemand): ReadonlySet<RunnerId> {
  const spent = new Set(spentRunners);
  return new Set(idleRunners.filter((id) => !spent.has(id)));
}
