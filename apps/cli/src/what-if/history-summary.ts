import { createHash } from 'node:crypto';
import type { PlanOutline } from './plan-outline.ts';
import type { ReplannedStep } from './replan.ts';

/** What is kept of one commit's plan: enough for every line that is printed, and no more, so that memory stays flat. */
export interface CommitRow {
  readonly commit: string;
  readonly subject: string;
  readonly changedFiles: number;
  readonly tookMs: number;
  readonly planned: PlannedRow | FailedRow;
  /** Under the other policy; null when there is none. */
  readonly other: PlannedRow | FailedRow | null;
}

export interface PlannedRow {
  readonly ok: true;
  readonly digest: string;
  readonly run: number;
  readonly total: number;
  readonly savedMs: number;
  readonly totalMs: number;
}

export interface FailedRow {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
}

/** How often a rule decided. */
export interface RuleCount {
  readonly rule: string;
  /** Commits with at least one file or job that it decided about. */
  readonly commits: number;
  readonly files: number;
  /** Jobs that ran because of it. */
  readonly jobs: number;
}

/** A job that only one of two policies runs, and in how many commits. */
export interface JobDifference {
  readonly job: string;
  readonly added: number;
  readonly dropped: number;
}

export interface Selection {
  readonly planned: number;
  readonly failed: number;
  readonly run: number;
  readonly total: number;
  /** Commits in which no job ran, and in which all did. */
  readonly none: number;
  readonly all: number;
  readonly savedMs: number;
  readonly totalMs: number;
  /** SHA-256 of the digests of all plans in order, one a line; a commit without a plan stands there with its code. */
  readonly digest: string;
}

export interface HistorySummary {
  /** The oldest first. */
  readonly rows: readonly CommitRow[];
  readonly selection: Selection;
  readonly rules: readonly RuleCount[];
  readonly other: {
    readonly selection: Selection;
    readonly differing: number;
    readonly jobs: readonly JobDifference[];
  } | null;
}

/** Adds up plans as they come. */
export class HistoryTally {
  readonly #rows: CommitRow[] = [];
  readonly #rules = new Map<string, { commits: number; files: number; jobs: number }>();
  readonly #jobs = new Map<string, { added: number; dropped: number }>();
  #differing = 0;

  get count(): number {
    return this.#rows.length;
  }

  add({ step, planned, other, tookMs }: ReplannedStep): void {
    if (planned.ok) this.#countRules(planned);
    if (other !== null) this.#compare(planned, other);
    this.#rows.push({
      commit: step.commit.id,
      subject: detached(step.commit.subject.slice(0, SUBJECT_MAX)),
      changedFiles: step.changes.length,
      tookMs,
      planned: rowOf(planned),
      other: other === null ? null : rowOf(other),
    });
  }

  summary(): HistorySummary {
    const rows = this.#rows;
    const others = rows.flatMap(({ other }) => (other === null ? [] : [other]));
    const rules = [...this.#rules].map(([rule, counts]) => ({ rule, ...counts }));
    const jobs = [...this.#jobs].map(([job, counts]) => ({ job, ...counts }));
    return {
      rows,
      selection: selectionOf(rows.map(({ planned }) => planned)),
      rules: rules.sort((one, two) => two.commits - one.commits || byText(one.rule, two.rule)),
      other:
        others.length === 0
          ? null
          : {
              selection: selectionOf(others),
              differing: this.#differing,
              jobs: jobs.sort((one, two) => changesOf(two) - changesOf(one) || byText(one.job, two.job)),
            },
    };
  }

  #countRules(plan: Extract<PlanOutline, { ok: true }>): void {
    const [files, jobs] = [new Map(plan.files), new Map(plan.jobs)];
    for (const rule of new Set([...files.keys(), ...jobs.keys()])) {
      const known = this.#rules.get(rule) ?? { commits: 0, files: 0, jobs: 0 };
      this.#rules.set(rule, {
        commits: known.commits + 1,
        files: known.files + (files.get(rule) ?? 0),
        jobs: known.jobs + (jobs.get(rule) ?? 0),
      });
    }
  }

  #compare(planned: PlanOutline, other: PlanOutline): void {
    const [before, after] = [runningIn(planned), runningIn(other)];
    const dropped = [...before].filter((key) => !after.has(key));
    const added = [...after].filter((key) => !before.has(key));
    if (planned.ok !== other.ok || dropped.length + added.length > 0) this.#differing += 1;
    for (const key of dropped) this.#differ(key, 0, 1);
    for (const key of added) this.#differ(key, 1, 0);
  }

  #differ(key: string, added: number, dropped: number): void {
    const known = this.#jobs.get(key);
    if (known === undefined && this.#jobs.size >= JOBS_COMPARED_MAX) return;
    this.#jobs.set(key, { added: (known?.added ?? 0) + added, dropped: (known?.dropped ?? 0) + dropped });
  }
}

const SUBJECT_MAX = 200;
const MESSAGE_MAX = 1_000;
/** A history whose jobs are called otherwise in every commit would grow without end; what comes later is not listed. */
const JOBS_COMPARED_MAX = 20_000;

/** A part of a long text holds on to all of it, unless it is written anew. */
function detached(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

function rowOf(planned: PlanOutline): PlannedRow | FailedRow {
  if (!planned.ok) return { ...planned, message: detached(planned.message.slice(0, MESSAGE_MAX)) };
  const { digest, run, total, savedMs, totalMs } = planned;
  return { ok: true, digest, run: run.length, total, savedMs, totalMs };
}

const changesOf = ({ added, dropped }: JobDifference): number => added + dropped;

const byText = (one: string, two: string): number => (one < two ? -1 : one > two ? 1 : 0);

function runningIn(planned: PlanOutline): Set<string> {
  return new Set(planned.ok ? planned.run : []);
}

function selectionOf(rows: readonly (PlannedRow | FailedRow)[]): Selection {
  const planned = rows.filter((row) => row.ok);
  const sum = (of: (row: PlannedRow) => number): number => planned.reduce((total, row) => total + of(row), 0);
  const lines = rows.map((row) => `${row.ok ? row.digest : row.code}\n`);
  return {
    planned: planned.length,
    failed: rows.length - planned.length,
    run: sum(({ run }) => run),
    total: sum(({ total }) => total),
    none: planned.filter(({ run }) => run === 0).length,
    all: planned.filter(({ run, total }) => run === total && total > 0).length,
    savedMs: sum(({ savedMs }) => savedMs),
    totalMs: sum(({ totalMs }) => totalMs),
    digest: `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`,
  };
}
