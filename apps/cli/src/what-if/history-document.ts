import { askedIn, type AnswersSummary } from './answers-tally.ts';
import type { Durations } from './durations.ts';
import type { CommitRow, FailedRow, HistorySummary, PlannedRow, Selection } from './history-summary.ts';

/** What was asked about, and what was found. */
export interface History {
  /** The ref, or the commit's id, that was asked for. */
  readonly ref: string;
  readonly head: string;
  readonly last: number;
  readonly durations: Durations;
  readonly summary: HistorySummary;
  /** What asking why came to; null when nobody wanted to know. */
  readonly answers: AnswersSummary | null;
}

export interface FailureGroup {
  readonly code: string;
  /** The oldest first. */
  readonly commits: readonly CommitRow[];
  /** What was said of the newest. */
  readonly message: string;
}

/** Commits without a plan, by the name of what was wrong. */
export function failuresIn(rows: readonly CommitRow[]): FailureGroup[] {
  const groups = new Map<string, { commits: CommitRow[]; message: string }>();
  for (const row of rows) {
    if (row.planned.ok) continue;
    const { code, message } = row.planned;
    groups.set(code, { commits: [...(groups.get(code)?.commits ?? []), row], message });
  }
  return [...groups].map(([code, group]) => ({ code, ...group }));
}

/** Plans that took longest; of equal ones the older. */
export function slowestIn(rows: readonly CommitRow[]): CommitRow[] {
  return rows.toSorted((one, other) => other.tookMs - one.tookMs).slice(0, SLOWEST_SHOWN);
}

const SLOWEST_SHOWN = 5;

/** The share of jobs that run; null where there are none. */
export function rateOf({ run, total }: Pick<Selection, 'run' | 'total'>): number | null {
  return total === 0 ? null : run / total;
}

/** `--json`. Everything but `tookMs` is the same on every machine. */
export function historyDocument({ ref, head, last, durations, summary, answers }: History): unknown {
  const { rows, selection, rules, other } = summary;
  return {
    ref,
    head,
    last,
    digest: selection.digest,
    selection: selectionDocument(selection),
    estimate: { kind: durations.kind, restsOn: `estimated ${durations.basis}` },
    ...(answers === null ? {} : { answers: { ...answers, questions: askedIn(answers) } }),
    rules,
    failures: failuresIn(rows).map(({ code, message, commits }) => ({
      code,
      message,
      commits: commits.map(({ commit }) => commit),
    })),
    slowest: slowestIn(rows).map(({ commit, tookMs }) => ({ commit, tookMs })),
    policy:
      other === null
        ? null
        : {
            digest: other.selection.digest,
            selection: selectionDocument(other.selection),
            differingCommits: other.differing,
            jobs: other.jobs,
          },
    commits: rows.map(commitDocument),
  };
}

function selectionDocument(selection: Selection): unknown {
  const { planned, failed, run, total, none, all, savedMs, totalMs } = selection;
  return {
    commits: planned + failed,
    planned,
    failed,
    jobsRun: run,
    jobsTotal: total,
    rate: rateOf(selection),
    commitsWithoutJobs: none,
    commitsWithAllJobs: all,
    estimatedMsSaved: Math.round(savedMs),
    estimatedMsTotal: Math.round(totalMs),
  };
}

function commitDocument({ commit, subject, changedFiles, tookMs, planned, other }: CommitRow): unknown {
  return {
    commit,
    subject,
    changedFiles,
    tookMs,
    ...planDocument(planned),
    ...(other === null ? {} : { policy: planDocument(other) }),
  };
}

function planDocument(row: PlannedRow | FailedRow): Readonly<Record<string, unknown>> {
  if (!row.ok) return { failure: { code: row.code, message: row.message } };
  return { digest: row.digest, jobsRun: row.run, jobsTotal: row.total, rate: rateOf(row) };
}
