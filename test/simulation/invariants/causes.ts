import { attemptName } from '@delta-ci/contracts';
import type { Committed, Row } from '../database/rows.ts';
import type { PlanningPlaces } from '../world/planning-places.ts';
import { TIMINGS } from '../world/settings.ts';
import { numberIn, textIn, type EventRecord } from './record.ts';
import type { Tally } from './tally.ts';
import type { RunnersSeen } from './waiting-work.ts';

/** Why a lease may be taken away although its runner is well. */
const TAKEN_AWAY = ['the job reached its limit', 'it did not stop by the deadline', 'the run reached its limit'];

interface Seen {
  readonly runners: RunnersSeen;
  readonly planning: Pick<PlanningPlaces, 'wereFullSince'>;
}

/**
 * 20: while nothing is wrong, nothing ends as if something were. Ends by time or by loss are lawful, and would hide every
 * mistake that makes them happen: so each needs a cause that the world knows of.
 */
export class Causes {
  readonly #tally: Tally;
  readonly #committed: Committed;
  readonly #runners: RunnersSeen;
  readonly #planning: Pick<PlanningPlaces, 'wereFullSince'>;
  readonly #createdAtMs = new Map<string, number>();
  /** Since when an attempt is held by a runner that lives and does not work on it. */
  readonly #idleSinceMs = new Map<string, number>();
  #goodSinceMs: number | null = null;

  constructor(tally: Tally, committed: Committed, { runners, planning }: Seen) {
    this.#tally = tally;
    this.#committed = committed;
    this.#runners = runners;
    this.#planning = planning;
  }

  /** @param goodSinceMs since when nothing is wrong and what was is made good; null: something is wrong */
  look(nowMs: number, goodSinceMs: number | null): void {
    this.#goodSinceMs = goodSinceMs;
    if (goodSinceMs === null) this.#idleSinceMs.clear();
    else this.#lookAtHeld(nowMs);
  }

  take({ type, stream, data }: EventRecord, nowMs: number): void {
    if (!stream.startsWith('run-')) return;
    const runId = stream.slice('run-'.length);
    if (type === 'run.created') this.#createdAtMs.set(runId, nowMs);
    if (this.#goodSinceMs === null) return;
    if (type === 'run.planning-failed') this.#takePlanningFailed(runId, data, this.#goodSinceMs);
    if (type === 'lease.expired') this.#takeLost(runId, data, numberIn(data, 'silentSinceMs') < this.#goodSinceMs);
    if (type === 'lease.revoked') {
      const reason = textIn(data, 'reason');
      this.#takeLost(
        runId,
        data,
        TAKEN_AWAY.some((one) => reason.startsWith(one)),
      );
    }
  }

  /** A planner answers before whoever waits for it gives up, however slow it is, unless it had its hands full before. */
  #takePlanningFailed(runId: string, data: EventRecord['data'], goodSinceMs: number): void {
    const message = textIn(data, 'message');
    const createdAtMs = this.#createdAtMs.get(runId) ?? 0;
    const hadNoPlan = message.startsWith('no plan within');
    const caused = !hadNoPlan || createdAtMs < goodSinceMs || this.#planning.wereFullSince(createdAtMs);
    this.#check(
      caused,
      () => `${runId} ended because there was ${message}, and nothing kept the planner from planning it`,
    );
  }

  /** @param caused whether something else explains it than that the runner is gone */
  #takeLost(runId: string, data: EventRecord['data'], caused: boolean): void {
    const [jobKey, attempt] = [textIn(data, 'jobKey'), numberIn(data, 'attempt')];
    const lease = this.#committed.table('lease').get(`${runId} ${jobKey} ${attempt}`);
    const runner = lease === undefined ? '' : this.#runnerOf(lease);
    const detail = () =>
      `${attemptName({ runId, jobKey, attempt })} was taken from ${runner} as lost: ${JSON.stringify(data)}`;
    this.#check(caused || this.#runners.wasHurt(runner), detail);
  }

  /**
   * Whoever holds an attempt works on it, or has just done so and says so. One that lost its lease without the log knowing has nothing
   * left to say, and may still remove what its job left: that lease has to end by silence with a cause.
   */
  #lookAtHeld(nowMs: number): void {
    const [working, removing] = [this.#runners.working(), this.#runners.removing()];
    for (const lease of this.#committed.table('lease').values()) {
      const { run_id: runId, job_key: jobKey, fence, state } = lease;
      const name = attemptName({ runId: String(runId), jobKey: String(jobKey), attempt: Number(fence) });
      const runner = this.#runnerOf(lease);
      const idle = state === 'active' && this.#runners.lives(runner) && !working.has(name) && !removing.has(runner);
      if (!idle) this.#idleSinceMs.delete(name);
      if (state !== 'active') continue;
      const sinceMs = idle ? (this.#idleSinceMs.get(name) ?? nowMs) : nowMs;
      if (idle) this.#idleSinceMs.set(name, sinceMs);
      const detail = () => `${runner} has not worked on ${name} for ${nowMs - sinceMs} ms, and its end is not recorded`;
      this.#check(nowMs - sinceMs <= TIMINGS.heartbeatMs, detail);
    }
  }

  #runnerOf({ runner_id }: Row): string {
    return String(this.#committed.table('runner').get(String(runner_id))?.['name']);
  }

  #check(caused: boolean, detail: () => string): void {
    this.#tally.check('20 ends have a cause', caused, detail);
  }
}
