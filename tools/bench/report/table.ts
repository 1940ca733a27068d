import { number, ofRaw, words, type Figure } from './figure.ts';
import type { Judged } from './goals.ts';
import type { Measured } from './history.ts';
import type { Machine } from '../machine.ts';

/** One line about where the figures come from: without it they mean nothing. */
export function machineLine({ platform, cpu, cores, memoryGiB, versions }: Machine): string {
  const known = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
  return `${cores} x ${cpu}, ${memoryGiB} GiB, ${platform}; ${known.join(', ')}`;
}

/** Figures of one measure: name, value, what part or multiple of its raw limit, and how it was measured. */
export function measuredLines({ measure, loadBefore, figures }: Measured): string[] {
  const rows = figures.map((figure) => [`  ${figure.name}`, words(figure), beside(figure), figure.note ?? '']);
  return [`${measure} (load before ${number(loadBefore)})`, ...columns(rows)];
}

/** Goals with their verdicts; those that were not measured are left out of a run that was asked for a part. */
export function goalLines(judged: readonly Judged[]): string[] {
  const rows = judged
    .filter(({ verdict }) => verdict !== 'not measured')
    .map(({ goal, verdict, wanted, found }) => [`  ${verdict}`, goal.figure, found, wanted]);
  return rows.length === 0 ? [] : ['goals', ...columns(rows)];
}

/** `0.41 of a plain insert (50,000/s)`; empty without a raw limit. */
export function beside(figure: Figure): string {
  const { raw, unit } = figure;
  const share = ofRaw(figure);
  return raw === undefined || share === null
    ? ''
    : `${number(share)} of ${raw.what} (${words({ value: raw.value, unit })})`;
}

/** Cells under each other; the last column may be of any width. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
