import { safeLine } from '../screen/safe-text.ts';
import { table } from '../screen/table.ts';
import { durationText, plural } from '../screen/words.ts';
import type { Surroundings } from '../surroundings.ts';
import { ASKED } from './answers.ts';
import { askedIn, type AnswersSummary } from './answers-tally.ts';
import { failuresIn, rateOf, slowestIn, type History } from './history-document.ts';
import type { FailedRow, HistorySummary, PlannedRow, Selection } from './history-summary.ts';

/** `delta what-if` for people: sums, rules, what could not be planned, what took longest, the newest commits. */
export function historyText(surroundings: Surroundings, history: History): string {
  const { summary } = history;
  if (summary.rows.length === 0) return 'There is no commit.\n';
  const blocks = [
    headText(history),
    answersText(surroundings, history.answers),
    otherText(surroundings, summary),
    rulesText(surroundings, summary),
    failuresText(surroundings, summary),
    slowestText(surroundings, summary),
    commitsText(surroundings, summary),
  ];
  return blocks.filter((block) => block !== '').join('\n');
}

/** `14.7 %`; a dash where there is nothing to have a share of. */
export function percentText(rate: number | null): string {
  return rate === null ? '-' : `${(rate * 100).toFixed(1)} %`;
}

export const shortId = (commit: string): string => commit.slice(0, 10);

/** Whole numbers with a comma between thousands, on every machine. */
export function numberText(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(?:\d{3})+$)/gu, ',');
}

export function minutesText(ms: number): string {
  return `${numberText(ms / 60_000)} min`;
}

function headText({ ref, head, durations, summary: { rows, selection } }: History): string {
  return [
    `${plural(rows.length, 'commit')} up to ${shortId(head)} (${safeLine(ref)}), each against its first parent.`,
    ...selectionLines(selection),
    `minutes saved   about ${minutesText(selection.savedMs)} of ${minutesText(selection.totalMs)}, estimated ${durations.basis}`,
    `digest of plans ${selection.digest}`,
    '',
  ].join('\n');
}

function selectionLines(selection: Selection): string[] {
  const { run, total, none, all, planned, failed } = selection;
  return [
    `jobs run        ${numberText(run)} of ${numberText(total)} (${percentText(rateOf(selection))})`,
    `commits         ${numberText(planned)} planned, ${numberText(failed)} not; in ${numberText(none)} nothing runs, in ${numberText(all)} everything`,
  ];
}

function answersText(surroundings: Surroundings, answers: AnswersSummary | null): string {
  if (answers === null) return '';
  const { asked, byFullName, unanswered, without, digest } = answers;
  const named = byFullName === 0 ? '' : `, ${numberText(byFullName)} by full name`;
  const lines = [
    `asked why       about ${ASKED.map((each) => `${numberText(asked[each])} ${each}`).join(', ')}`,
    `answered        ${numberText(askedIn(answers) - unanswered)} of ${numberText(askedIn(answers))}${named}`,
    `digest of answers ${digest}`,
    '',
  ];
  if (without.length === 0) return lines.join('\n');
  const listed = without.map(({ commit, kind, id, reason }) => [shortId(commit), kind, id, reason]);
  const rest = unanswered - without.length;
  const more = rest > 0 ? `and ${numberText(rest)} more\n` : '';
  return `${lines.join('\n')}\n${table(surroundings, ['COMMIT', 'NO ANSWER', 'OF THAT NAME', 'BECAUSE'], listed)}${more}`;
}

function otherText(surroundings: Surroundings, { other, rows }: HistorySummary): string {
  if (other === null) return '';
  const { selection, differing, jobs } = other;
  const lines = [
    'Under the other policy:',
    ...selectionLines(selection),
    `minutes saved   about ${minutesText(selection.savedMs)} of ${minutesText(selection.totalMs)}`,
    `digest of plans ${selection.digest}`,
    `other jobs run  in ${numberText(differing)} of ${plural(rows.length, 'commit')}`,
    '',
  ];
  if (jobs.length === 0) return lines.join('\n');
  const shown = jobs.slice(0, JOBS_SHOWN);
  const listed = shown.map(({ job, added, dropped }) => [job, numberText(added), numberText(dropped)]);
  const rest = jobs.length - shown.length;
  const more = rest > 0 ? `and ${plural(rest, 'more job')}: see --json\n` : '';
  return `${lines.join('\n')}\n${table(surroundings, ['JOB', 'ONLY WITH IT', 'ONLY WITHOUT'], listed)}${more}`;
}

const JOBS_SHOWN = 20;

function rulesText(surroundings: Surroundings, { rules }: HistorySummary): string {
  if (rules.length === 0) return '';
  const rows = rules.map(({ rule, commits, files, jobs }) => [rule, ...[commits, files, jobs].map(numberText)]);
  return table(surroundings, ['RULE', 'COMMITS', 'FILES', 'JOBS RUN'], rows);
}

function failuresText(surroundings: Surroundings, { rows }: HistorySummary): string {
  const failures = failuresIn(rows);
  if (failures.length === 0) return '';
  const listed = failures.map(({ code, commits, message }) => {
    const [first = '', last = ''] = [commits[0], commits.at(-1)].map((row) => shortId(row?.commit ?? ''));
    return [code, numberText(commits.length), first, last, message.split('\n')[0] ?? ''];
  });
  return table(surroundings, ['NOT PLANNED', 'COMMITS', 'FIRST', 'LAST', 'WHY'], listed);
}

function slowestText(surroundings: Surroundings, { rows }: HistorySummary): string {
  const listed = slowestIn(rows).map((row) => [shortId(row.commit), durationText(row.tookMs), row.subject]);
  return table(surroundings, ['SLOWEST', 'TOOK', 'SUBJECT'], listed);
}

/** Nobody reads a thousand lines; programs read `--json`. */
const COMMITS_SHOWN = 20;

function commitsText(surroundings: Surroundings, { rows }: HistorySummary): string {
  const shown = rows.slice(-COMMITS_SHOWN).toReversed();
  const both = shown.some(({ other }) => other !== null);
  const headings = ['COMMIT', 'RUN', ...(both ? ['OTHER'] : []), 'RATE', 'FILES', 'SUBJECT'];
  const listed = shown.map((row) => [
    shortId(row.commit),
    jobsText(row.planned),
    ...(row.other === null ? [] : [jobsText(row.other)]),
    row.planned.ok ? percentText(rateOf(row.planned)) : '-',
    numberText(row.changedFiles),
    row.subject,
  ]);
  const rest = rows.length - shown.length;
  const more = rest > 0 ? `and ${plural(rest, 'older commit')}: see --json or --html\n` : '';
  return `${table(surroundings, headings, listed)}${more}`;
}

function jobsText(row: PlannedRow | FailedRow): string {
  return row.ok ? `${numberText(row.run)} of ${numberText(row.total)}` : row.code;
}
