import { hash } from 'node:crypto';
import type { ShownCheck } from '../world/simulated-forge.ts';
import type { Committed } from '../database/rows.ts';
import type { StoredArtifacts } from '../network/stored-artifacts.ts';
import type { BusCopy } from './bus-copy.ts';
import type { Fold } from './fold.ts';
import type { ReportsHeard } from './reports-heard.ts';
import type { RunHistory } from './run-history.ts';
import type { Tally } from './tally.ts';

/** What a finished run's gate shows. */
const CONCLUSIONS: Readonly<Record<string, string>> = {
  succeeded: 'success',
  failed: 'failure',
  canceled: 'cancelled',
  timed_out: 'timed_out',
};

/** What is looked at in the end. */
export interface Everything {
  readonly committed: Committed;
  readonly bus: BusCopy;
  readonly fold: Fold;
  readonly reports: ReportsHeard;
  readonly histories: ReadonlyMap<string, RunHistory>;
  readonly artifacts: StoredArtifacts;
}

export interface WhatIsLeft {
  readonly sandboxes: number;
  readonly checks: readonly ShownCheck[];
}

/** 11, 14 and 16: when faults are over, everything ends, and then nothing is left over and everybody agrees. */
export class Quiet {
  readonly #tally: Tally;
  readonly #all: Everything;

  constructor(tally: Tally, all: Everything) {
    this.#tally = tally;
    this.#all = all;
  }

  /** Whether everything has ended: then `assertQuiet` looks closely. */
  get isQuiet(): boolean {
    const { committed } = this.#all;
    const runs = [...committed.table('run').values()];
    if (!this.#all.bus.isComplete || this.#all.reports.unheard().length > 0) return false;
    return runs.every((run) => run['live'] === false && run['reported'] === true);
  }

  /** What still goes on, for people. */
  unfinished(): string {
    const { committed } = this.#all;
    const open = [...committed.table('run').values()].filter((run) => run['live'] === true || run['reported'] !== true);
    const named = open.map(
      (run) => `${String(run['run_id'])} is ${String(run['state'])}, reported: ${String(run['reported'])}`,
    );
    const behind = `EVENTS ends at ${this.#all.bus.lastSequence}, the log at ${committed.head.position}`;
    const unheard = this.#all.reports.unheard().map((id) => `nobody decided the report ${id}`);
    return [...named, behind, ...unheard].join('; ');
  }

  /** Time is up. */
  assertEnded(boundMs: number): void {
    this.#tally.check(
      '16 everything ends',
      this.isQuiet,
      () => `after ${boundMs / 60_000} calm minutes: ${this.unfinished()}`,
    );
  }

  assertQuiet(left: WhatIsLeft): void {
    const { committed } = this.#all;
    const check = (holds: boolean, what: string) => this.#tally.check('14 quiet', holds, () => what);
    const rows = (table: string) => [...committed.table(table).values()];
    check(
      rows('job').every((job) => job['state'] === 'finished'),
      'a job of a finished run is not finished',
    );
    check(
      rows('attempt').every((attempt) => attempt['state'] === 'finished'),
      'an attempt of a finished run is not finished',
    );
    check(
      rows('attempt').every((attempt) => attempt['waiting'] === false),
      'an attempt waits that is finished',
    );
    check(
      rows('lease').every((lease) => lease['live'] === false),
      'a lease of a finished attempt is live',
    );
    check(rows('lease_renewal').length === 0, 'a renewal row outlived its lease');
    check(rows('run_deadline').length === 0, 'a deadline outlived its run');
    check(left.sandboxes === 0, `${left.sandboxes} sandboxes are left`);
    this.#assertForge(left.checks);
    this.#assertArtifacts();
    this.#all.fold.compareAll();
  }

  #assertForge(checks: readonly ShownCheck[]): void {
    for (const history of this.#all.histories.values()) {
      const { runId, outcome } = history;
      const gates = checks.filter(({ externalId }) => externalId === `${runId}/gate` || externalId === runId);
      const shown = gates.map(({ status, conclusion }) => `${status} ${conclusion}`);
      const wanted = `completed ${CONCLUSIONS[outcome ?? '']}`;
      const converged = shown.length > 0 && shown.every((one) => one === wanted);
      this.#tally.check(
        '11 the forge converges',
        converged,
        () => `${runId} ended ${outcome}, the forge shows ${shown.join(', ') || 'nothing'}`,
      );
      const open = checks.filter(({ externalId, status }) => externalId.startsWith(runId) && status !== 'completed');
      const named = () =>
        `${runId} ended, the forge shows ${open.map((check) => `${check.externalId} ${check.status}`).join(', ')}`;
      this.#tally.check('11 the forge converges', open.length === 0, named);
    }
  }

  #assertArtifacts(): void {
    const { artifacts } = this.#all;
    for (const [digest, bytes] of artifacts.objects) {
      const actual = `sha256:${hash('sha256', bytes)}`;
      this.#tally.check('13 artifacts have their digest', actual === digest, () => `${digest} is ${actual}`);
    }
  }
}
