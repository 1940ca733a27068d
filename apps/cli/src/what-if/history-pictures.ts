import type { CommitRow, FailedRow, PlannedRow, RuleCount } from './history-summary.ts';
import { escaped, markup } from './markup.ts';
import { percentText } from './history-text.ts';

/** Pictures as inline SVG: drawn from numbers alone, coloured by the page's style, each with words for who cannot see it. */

const [WIDTH, HEIGHT, LEFT] = [720, 188, 44];
/** Room above the line of 100 % for its label. */
const TOP = 12;
/** More bars than this are thinner than a pixel: neighbours are drawn as their average. */
const BARS_MAX = 180;

/** The share of jobs that runs, commit by commit, the oldest on the left. */
export function rateChart(rows: readonly CommitRow[], side: 'planned' | 'other'): string {
  const groups = grouped(rows, BARS_MAX).map((group) => averageRate(group.map((row) => row[side])));
  const slot = (WIDTH - LEFT) / Math.max(1, groups.length);
  const bars = groups.map((rate, at) => {
    const x = LEFT + at * slot;
    return rate === null ? '' : bar(x, slot * 0.85, rate, side);
  });
  const title = side === 'planned' ? 'Share of jobs that run' : 'Share of jobs that run under the other policy';
  return picture(`${title}, from the oldest commit to the newest`, `${axis()}${bars.join('')}`, HEIGHT);
}

/** How many commits run which share of their jobs. */
export function shareChart(rows: readonly CommitRow[]): string {
  const counts = sharesOf(rows);
  const most = Math.max(1, ...counts.map(({ count }) => count));
  return barList(
    'Commits by the share of jobs that they run',
    counts.map(({ name, count }) => ({ name, value: count, share: count / most })),
  );
}

/** Which rules decided in how many commits. */
export function rulesChart(rules: readonly RuleCount[]): string {
  const most = Math.max(1, ...rules.map(({ commits }) => commits));
  return barList(
    'Commits by the rules that decided in them',
    rules.map(({ rule, commits }) => ({ name: rule, value: commits, share: commits / most })),
  );
}

/** Commits by the share that runs: none, up to a tenth, up to a quarter, a half, less than all, all. */
export function sharesOf(rows: readonly CommitRow[]): { readonly name: string; readonly count: number }[] {
  const rates = rows.flatMap(({ planned }) => (planned.ok && planned.total > 0 ? [planned.run / planned.total] : []));
  return SHARES.map(({ name, holds }) => ({ name, count: rates.filter(holds).length }));
}

const between =
  (low: number, high: number) =>
  (rate: number): boolean =>
    rate > low && rate <= high && rate < 1;

const SHARES: readonly { readonly name: string; readonly holds: (rate: number) => boolean }[] = [
  { name: 'nothing', holds: (rate) => rate === 0 },
  { name: 'up to 10 %', holds: between(0, 0.1) },
  { name: 'up to 25 %', holds: between(0.1, 0.25) },
  { name: 'up to 50 %', holds: between(0.25, 0.5) },
  { name: 'more than half', holds: between(0.5, 1) },
  { name: 'everything', holds: (rate) => rate === 1 },
];

function grouped<T>(rows: readonly T[], max: number): T[][] {
  const size = Math.max(1, Math.ceil(rows.length / max));
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, at) => rows.slice(at * size, (at + 1) * size));
}

function averageRate(rows: readonly (PlannedRow | FailedRow | null)[]): number | null {
  const rates = rows.flatMap((row) => (row?.ok === true && row.total > 0 ? [row.run / row.total] : []));
  return rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

/** Bars and lines are measured by the same scale. */
const heightOf = (rate: number): number => HEIGHT - (TOP + (1 - rate) * (HEIGHT - TOP));

function bar(x: number, width: number, rate: number, side: string): string {
  const height = Math.max(1, heightOf(rate));
  const y = HEIGHT - height;
  return `<rect class="${side}" x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}"/>`;
}

function axis(): string {
  return [0, 0.25, 0.5, 0.75, 1]
    .map((rate) => {
      const y = fixed(HEIGHT - heightOf(rate));
      const line = `<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/>`;
      return `${line}<text class="label" x="${LEFT - 6}" y="${y}" text-anchor="end">${Math.round(rate * 100)} %</text>`;
    })
    .join('');
}

const ROW_HEIGHT = 24;
const NAME_WIDTH = 190;

function barList(title: string, rows: readonly { name: string; value: number; share: number }[]): string {
  const bars = rows.map(({ name, value, share }, at) => {
    const y = at * ROW_HEIGHT;
    const width = share * (WIDTH - NAME_WIDTH - 60);
    return (
      markup`<text class="label" x="${NAME_WIDTH - 8}" y="${y + 16}" text-anchor="end">${name}</text>` +
      `<rect class="planned" x="${NAME_WIDTH}" y="${y + 4}" width="${fixed(width)}" height="16"/>` +
      `<text class="label" x="${fixed(NAME_WIDTH + width + 6)}" y="${y + 16}">${value}</text>`
    );
  });
  return picture(title, bars.join(''), rows.length * ROW_HEIGHT);
}

function picture(title: string, shapes: string, height: number): string {
  const name = escaped(title);
  const opening = `<svg role="img" viewBox="0 0 ${WIDTH} ${height}" aria-label="${name}"><title>${name}</title>`;
  return `<figure>${opening}${shapes}</svg><figcaption>${name}</figcaption></figure>`;
}

const fixed = (value: number): string => value.toFixed(1);

/** What the first picture says in one sentence. */
export function rateSentence(rows: readonly CommitRow[]): string {
  const rate = averageRate(rows.map(({ planned }) => planned));
  return `On average a commit runs ${percentText(rate)} of the jobs.`;
}
