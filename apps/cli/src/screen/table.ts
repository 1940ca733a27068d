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
/**
 * A last column that would be narrower than this, or than one of its words, is written beneath its row instead. One that needs no
 * more has it, though the table be wider than the terminal.
 */
const LAST_COLUMN_MIN = 32;
const BENEATH = '    ';

/**
 * Rows under headings, without frames. The last column takes what is left of the terminal's width and wraps there; where that is
 * too little, it stands beneath its row.
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
  const total = columns ?? UNBOUNDED_COLUMNS;
  const room = total - widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const wanted = widths.at(-1) ?? 0;
  const texts = [headings.map((heading) => paint.bold(heading)), ...cells.map((row) => row.map(painted))];
  if (wanted <= Math.max(room, LAST_COLUMN_MIN) || (room >= LAST_COLUMN_MIN && longestWord(cells) <= room))
    return linesOf(texts, [...widths.slice(0, -1), Math.min(wanted, Math.max(room, LAST_COLUMN_MIN))]).join('');
  const first = linesOf(
    texts.map((row) => row.slice(0, -1)),
    widths.slice(0, -1),
  );
  const last = [{ text: headings.at(-1) ?? '', paint: paint.bold }, ...cells.map((row) => row.at(-1))];
  return first.map((line, index) => line + beneath(last[index], total - BENEATH.length)).join('');
}

/** Lines of a table, one for each row that does not wrap; each with its line break. */
function linesOf(rows: readonly (readonly string[])[], colWidths: readonly number[]): string[] {
  const made = new Table({
    chars: FRAMELESS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colWidths: [...colWidths],
    wordWrap: true,
    wrapOnWordBoundary: true,
  });
  for (const row of rows) made.push([...row]);
  return made
    .toString()
    .split('\n')
    .map((line) => `${line.trimEnd()}\n`);
}

const painted = ({ text, paint = String }: Cell): string => paint(text);

const wordsIn = (text: string): string[] => text.split(' ').filter((word) => word !== '');

const longestWord = (cells: readonly (readonly Cell[])[]): number =>
  Math.max(0, ...cells.flatMap((row) => wordsIn(row.at(-1)?.text ?? '').map(({ length }) => length)));

/** Indented lines of at most a width, or of a single word: words are never cut, so that they can be copied. */
function beneath(cell: Cell | undefined, width: number): string {
  const lines: string[] = [];
  for (const word of wordsIn(cell?.text ?? '')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.map((text) => `${BENEATH}${painted({ ...cell, text })}\n`).join('');
}

function toCell(cell: string | Cell): Cell {
  return typeof cell === 'string' ? { text: safeLine(cell) } : { ...cell, text: safeLine(cell.text) };
}

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
