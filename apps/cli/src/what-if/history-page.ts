import { safeLine } from '../screen/safe-text.ts';
import { durationText, plural } from '../screen/words.ts';
import { failuresIn, rateOf, slowestIn, type History } from './history-document.ts';
import { rateChart, rateSentence, rulesChart, shareChart, sharesOf } from './history-pictures.ts';
import type { CommitRow, HistorySummary, Selection } from './history-summary.ts';
import { minutesText, numberText, percentText, shortId } from './history-text.ts';
import { markup } from './markup.ts';

/**
 * One page that needs nothing else: no script, no font, no picture from anywhere, and a policy of its own that forbids them.
 * Light or dark as its reader likes it; every picture stands beside its numbers as a table.
 */
export function historyPage(history: History): string {
  const { ref, head, summary } = history;
  const title = `What if: ${plural(summary.rows.length, 'commit')} up to ${shortId(head)}`;
  return [
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `${markup`<title>${title}</title>`}\n<style>${STYLE}</style>\n</head>\n<body>\n<main>`,
    markup`<h1>${title}</h1><p>Branch ${safeLine(ref)}, each commit planned against its first parent.</p>`,
    factsOf(history, summary.selection),
    otherOf(history),
    '<h2>Selection</h2>',
    markup`<p>${rateSentence(summary.rows)}</p>`,
    rateChart(summary.rows, 'planned'),
    summary.other === null ? '' : rateChart(summary.rows, 'other'),
    shareChart(summary.rows),
    numbers('Commits by the share of jobs that they run', ['Share', 'Commits'], shareRows(summary.rows)),
    ...rulesOf(summary),
    ...failuresOf(summary),
    numbers('Slowest plans', ['Commit', 'Took', 'Subject'], slowRows(summary.rows)),
    commitsOf(summary.rows),
    '</main>\n</body>\n</html>\n',
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function factsOf({ durations }: History, selection: Selection): string {
  const { run, total, planned, failed, none, all, savedMs, totalMs, digest } = selection;
  return facts([
    ['Jobs run', `${numberText(run)} of ${numberText(total)} (${percentText(rateOf(selection))})`],
    ['Commits', `${numberText(planned)} planned, ${numberText(failed)} not`],
    ['Nothing runs in', numberText(none)],
    ['Everything runs in', numberText(all)],
    ['Minutes saved', `about ${minutesText(savedMs)} of ${minutesText(totalMs)}, estimated ${durations.basis}`],
    ['Digest of plans', digest],
  ]);
}

function facts(pairs: readonly (readonly [string, string])[]): string {
  return `<dl>${pairs.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>`;
}

function otherOf(history: History): string {
  const { other, rows } = history.summary;
  if (other === null) return '';
  const jobs = other.jobs.slice(0, JOBS_SHOWN).map(({ job, added, dropped }) => [job, added, dropped]);
  return [
    '<h2>Under the other policy</h2>',
    markup`<p>Other jobs run in ${other.differing} of ${plural(rows.length, 'commit')}.</p>`,
    factsOf(history, other.selection),
    numbers('Jobs that only one of both runs', ['Job', 'Only with it', 'Only without'], jobs),
  ].join('\n');
}

const JOBS_SHOWN = 100;

const shareRows = (rows: readonly CommitRow[]): Row[] => sharesOf(rows).map(({ name, count }) => [name, count]);

function rulesOf({ rules }: HistorySummary): string[] {
  if (rules.length === 0) return [];
  const rows = rules.map(({ rule, commits, files, jobs }) => [rule, commits, files, jobs]);
  return [
    '<h2>Rules</h2>',
    rulesChart(rules),
    numbers('How often each rule decided', ['Rule', 'Commits', 'Files', 'Jobs run'], rows),
  ];
}

function failuresOf({ rows }: HistorySummary): string[] {
  const failures = failuresIn(rows).map(({ code, commits, message }) => [
    code,
    commits.length,
    message.split('\n')[0] ?? '',
  ]);
  if (failures.length === 0) return [];
  return ['<h2>Not planned</h2>', numbers('Commits without a plan', ['Code', 'Commits', 'Why'], failures)];
}

const slowRows = (rows: readonly CommitRow[]): Row[] =>
  slowestIn(rows).map(({ commit, tookMs, subject }) => [shortId(commit), durationText(tookMs), subject]);

function commitsOf(rows: readonly CommitRow[]): string {
  const both = rows.some(({ other }) => other !== null);
  const listed = rows
    .toReversed()
    .map((row): Row => [
      shortId(row.commit),
      ...jobsCells(row.planned),
      ...(both && row.other !== null ? jobsCells(row.other) : []),
      numberText(row.changedFiles),
      row.subject,
    ]);
  const headings = ['Commit', 'Run', 'Of', ...(both ? ['Other: run', 'Of'] : []), 'Files', 'Subject'];
  return `<details><summary>All commits</summary>${numbers('Every commit, the newest first', headings, listed)}</details>`;
}

function jobsCells(row: CommitRow['planned']): Row {
  return row.ok ? [numberText(row.run), numberText(row.total)] : [row.code, ''];
}

type Row = readonly (string | number)[];

function numbers(caption: string, headings: readonly string[], rows: readonly Row[]): string {
  const head = headings.map((name) => markup`<th scope="col">${name}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => markup`<td>${safeLine(String(cell))}</td>`).join('')}</tr>`);
  const title = markup`<caption>${caption}</caption>`;
  return `<div class="wide" tabindex="0"><table>${title}<thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #d0d7de; --soft: #57606a; --bar: #0969da; --bar2: #8250df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #30363d; --soft: #9198a1; --bar: #4493f8; --bar2: #ab7df8; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 0.75rem; }
dt, figcaption, caption { color: var(--soft); font-size: 0.875rem; text-align: left; }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1rem 0; }
svg { width: 100%; height: auto; }
.planned { fill: var(--bar); } .other { fill: var(--bar2); } .grid { stroke: var(--faint); }
.label { fill: var(--ink); font-size: 12px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--faint); padding: 0.25rem 0.75rem 0.25rem 0; text-align: left; vertical-align: top; }
summary { cursor: pointer; padding: 0.5rem 0; }
`;
