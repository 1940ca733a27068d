import { attemptName } from '@delta-ci/contracts';
import type { Committed, Row } from '../database/rows.ts';
import { CONFIGS } from '../world/settings.ts';
import { LATE_MAX_MS } from './deadlines.ts';
import { numberIn, textIn, type EventRecord } from './record.ts';
import type { Tally } from './tally.ts';

/** Runners as the world sees them, by name: what their own tables say of them is the product's word. */
export interface RunnersSeen {
  /** Those that ask for work at this moment. */
  readonly asking: () => ReadonlySet<string>;
  /** Those on which the job of an attempt is under way, by the attempt's name. */
  readonly working: () => ReadonlyMap<string, string>;
  /** Those that remove what their job left. */
  readonly removing: () => ReadonlySet<string>;
  readonly lives: (name: string) => boolean;
  /** Whether it was made to end, or was never one of ours. */
  readonly wasHurt: (name: string) => boolean;
}

/** How long a runner asks before the gateway asks again in its name. */
const REQUEST_MS = 5_000;
/**
 * A message that got lost is missed when the queue had nothing for a runner, which is known after a whole request at the
 * latest, and the first may be cut short; the next sweep puts the attempt before its pool. It has waited for long enough by
 * then: no message gets lost any more, and the recovery is longer than an interval of the redrive.
 */
const BESIDE_MAX_MS = 2 * REQUEST_MS + LATE_MAX_MS;
/** A runner gives up what it cannot remove, and ends in order. */
const REMOVAL_MAX_MS = 5 * 60_000 + 5_000;
/** The controller looks, starts a runner, and that registers; one look may have begun just before. */
const ROOM_MAX_MS = 2 * CONFIGS.controller.decisionIntervalMs + 3_000;

/** 19: while nothing is wrong, work that waits is taken by a runner that is free, and there are runners as long as there may be. */
export class WaitingWork {
  readonly #tally: Tally;
  readonly #committed: Committed;
  readonly #runners: RunnersSeen;
  /** How long each attempt has waited beside a free runner that could take it, one runner after the other. */
  readonly #besideMs = new Map<string, number>();
  /** How long each runner that removes what its job left has done so. */
  #removingMs: ReadonlyMap<string, number> = new Map();
  #roomMs = 0;
  #grants = 0;
  #lookedAtMs: number | null = null;
  /** When as many runners as there may be were busy, or it was not good yet. */
  #fullAtMs = 0;

  constructor(tally: Tally, committed: Committed, runners: RunnersSeen) {
    this.#tally = tally;
    this.#committed = committed;
    this.#runners = runners;
  }

  /** @param isGood whether nothing is wrong, and has not been for so long that what was is made good */
  look(nowMs: number, isGood: boolean): void {
    const passedMs = nowMs - (this.#lookedAtMs ?? nowMs);
    this.#lookedAtMs = isGood ? nowMs : null;
    if (!isGood) this.#fullAtMs = nowMs;
    if (!isGood) return;
    const waiting = [...this.#committed.table('attempt').values()].filter((row) => row['waiting'] === true);
    const free = this.#free();
    for (const attempt of waiting)
      if (free.some((runner) => canTake(runner, attempt))) this.#waitsBeside(attempt, passedMs);
    this.#lookAtRoom(waiting.some(canBeTaken) && free.length === 0, passedMs);
    this.#lookAtRemovals(passedMs);
    this.#lookAtRuns();
  }

  /** An attempt that ends because nobody took it needs what no runner has, or a pool that has its hands full. */
  take({ type, stream, data }: EventRecord, nowMs: number): void {
    if (this.#lookedAtMs === null || type !== 'attempt.finished') return;
    if (!textIn(data, 'reason').startsWith('no runner took it')) return;
    const [runId, jobKey, number] = [stream.slice('run-'.length), textIn(data, 'jobKey'), numberIn(data, 'attempt')];
    const attempt = this.#committed.table('attempt').get(`${runId} ${jobKey} ${number}`);
    const notFullMs = nowMs - this.#fullAtMs;
    const caused = attempt === undefined || !canBeTaken(attempt) || notFullMs <= ROOM_MAX_MS;
    const name = attemptName({ runId, jobKey, attempt: number });
    const detail = () =>
      `${name} ended because no runner took it, and its pool has had runners to spare for ${notFullMs} ms`;
    this.#tally.check('19 waiting work is taken', caused, detail);
  }

  #waitsBeside(attempt: Row, passedMs: number): void {
    const { run_id: runId, job_key: jobKey, attempt: number, pool } = attempt;
    const name = attemptName({ runId: String(runId), jobKey: String(jobKey), attempt: Number(number) });
    const waitedMs = (this.#besideMs.get(name) ?? 0) + passedMs;
    this.#besideMs.set(name, waitedMs);
    const detail = () =>
      `${name} has waited ${waitedMs} ms for the pool ${String(pool)} while a runner that could take it was free`;
    this.#tally.check('19 waiting work is taken', waitedMs <= BESIDE_MAX_MS, detail);
  }

  /**
   * Nobody is free: then all that may be there are busy, or more are on their way. A runner whose job was taken from it takes up
   * its place until its next heartbeat tells it: so long work may wait.
   */
  #lookAtRoom(isWanted: boolean, passedMs: number): void {
    const grants = this.#committed.table('lease').size;
    const isTaken = grants > this.#grants;
    this.#grants = grants;
    const busy = this.#busy().size;
    const isFull = busy >= CONFIGS.controller.runnersMax;
    if (isFull) this.#fullAtMs = this.#lookedAtMs ?? 0;
    if (!isWanted || isTaken || isFull || this.#isWindingUp()) this.#roomMs = 0;
    else this.#roomMs += passedMs;
    const detail = () =>
      `work has waited ${this.#roomMs} ms for the pool, in which ${busy} runners are busy and none is free`;
    this.#tally.check('19 waiting work is taken', this.#roomMs <= ROOM_MAX_MS, detail);
  }

  /** A place is not held for ever by what a job left. */
  #lookAtRemovals(passedMs: number): void {
    const before = this.#removingMs;
    this.#removingMs = new Map([...this.#runners.removing()].map((name) => [name, (before.get(name) ?? 0) + passedMs]));
    for (const [name, ms] of this.#removingMs) {
      const detail = () => `${name} has removed what its job left for ${ms} ms, and takes up a place of its pool`;
      this.#tally.check('19 waiting work is taken', ms <= REMOVAL_MAX_MS, detail);
    }
  }

  /** A run that is neither over nor planned any more has something that waits or runs. */
  #lookAtRuns(): void {
    const open = new Set<unknown>();
    for (const attempt of this.#committed.table('attempt').values())
      if (attempt['state'] !== 'finished') open.add(attempt['run_id']);
    for (const { run_id: runId, state } of this.#committed.table('run').values()) {
      if (state !== 'queued' && state !== 'running') continue;
      const detail = () => `${String(runId)} is ${state}, and none of its attempts waits or runs`;
      this.#tally.check('19 waiting work is taken', open.has(runId), detail);
    }
  }

  #free(): Row[] {
    const asking = this.#runners.asking();
    const holding = new Set(this.#live().map((lease) => lease['runner_id']));
    const known = [...this.#committed.table('runner').values()];
    return known.filter(
      ({ name, present, runner_id }) => present === true && asking.has(String(name)) && !holding.has(runner_id),
    );
  }

  /** Names of runners that hold a lease, are still at the job of one that they held, or remove what it left: all take up a place. */
  #busy(): ReadonlySet<string> {
    const runners = this.#committed.table('runner');
    const holding = this.#live().map((lease) => String(runners.get(String(lease['runner_id']))?.['name']));
    const { lives, working, removing } = this.#runners;
    return new Set([...holding.filter(lives), ...working().values(), ...removing()]);
  }

  /** Whether a runner is still at a job that is not its own any more. */
  #isWindingUp(): boolean {
    const held = this.#live().map(({ run_id: runId, job_key: jobKey, fence }) =>
      attemptName({ runId: String(runId), jobKey: String(jobKey), attempt: Number(fence) }),
    );
    return [...this.#runners.working().keys()].some((attempt) => !held.includes(attempt));
  }

  #live(): Row[] {
    return [...this.#committed.table('lease').values()].filter((lease) => lease['live'] === true);
  }
}

interface Requirements {
  readonly pool: string;
  readonly os: string;
  readonly isolation: string;
  readonly labels: readonly string[];
}

/** As far as jobs of the simulated world ask for anything. */
function canTake({ pool, capabilities }: Row, { requirements }: Row): boolean {
  const wanted = requirements as Requirements;
  const { os, isolation, labels } = capabilities as { os: string; isolation: string[]; labels: string[] };
  const fits = pool === wanted.pool && os === wanted.os && isolation.includes(wanted.isolation);
  return fits && wanted.labels.every((label) => labels.includes(label));
}

/** Whether there can be a runner for it at all: none of the simulated world has a label of its own. */
const canBeTaken = ({ requirements }: Row): boolean => (requirements as Requirements).labels.length === 0;
