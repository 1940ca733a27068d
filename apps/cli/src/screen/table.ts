import Table from 'cli-table3';
import { safeLine } from './safe-text.ts';
import type { Surroundings } from '../surroundings.ts';

/** A cell: text of whoever, made safe here, and how it is painted then. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** Without a terminal nothing is cut or wrapped, so that `grep` finds what it looks for. */
const UNBOUNDED_COLUMNS = 100_000;
/** A last column narrower than this is no use: then the table is wider than the terminal. */
const LAST_COLUMN_MIN = 24;

/**
 * Rows under headings, without frames. The last column takes what is left of the terminal's width and wraps there.
 * @returns text with a line break at the end
 */
export function table(
  { paint, columns }: Pick<Surroundings, 'paint' | 'columns'>,
  headings: readonly string[],
  rows: readonly (readonly (string | Cell)[])[],
): string {
  const cells = rows.map((row) => row.map(toCell));
  const widths = headings.map((heading, index) =>
    Math.max(heading.length, ...cells.map((row) => row[index]?.text.length ?? 0)),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const room = Math.max(LAST_COLUMN_MIN, (columns ?? UNBOUNDED_COLUMNS) - before);
  const last = Math.min(widths.at(-1) ?? 0, room);
  const made = new Table({
    chars: FRAMELESS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colWidths: [...widths.slice(0, -1), last],
    wordWrap: true,
    wrapOnWordBoundary: true,
  });
  made.push(headings.map((heading) => paint.bold(heading)));
  for (const row of cells) made.push(row.map(({ text, paint: painted }) => (painted ?? String)(text)));
  return `${made.toString().split('\n').map(trimEnd).join('\n')}\n`;
}

function toCell(cell: string | Cell): Cell {
  return typeof cell === 'string' ? { text: safeLine(cell) } : { ...cell, text: safeLine(cell.text) };
}

const trimEnd = (line: string): string => line.trimEnd();

const FRAMELESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};
