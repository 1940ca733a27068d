import { safeLogLine } from './safe-text.ts';

const INTRODUCER = '\u001b[';
/** A selection of colours and weight, behind its introducer: no other sequence is looked for. */
const SELECTION = /^([\d;]{0,64})m/u;
const RESET = '\u001b[0m';

/** What neither hides text (8) nor makes it blink (5, 6), and no fonts and frames. */
const HARMLESS = new Set([
  0,
  1,
  2,
  3,
  4,
  7,
  9,
  ...rangeOf(22, 24),
  27,
  29,
  ...rangeOf(30, 37),
  39,
  ...rangeOf(40, 47),
  49,
  ...rangeOf(90, 97),
  ...rangeOf(100, 107),
]);
/** A colour of 256, or of all, follows. */
const WITH_COLOUR = new Set([38, 48]);

/**
 * One line of a log with its colours, which end with it. Whatever else a terminal would obey is treated as in
 * `safeLogLine`: what is printed is made of harmless text and of selections that are written anew here.
 */
export function colouredLogLine(line: string): string {
  const whole = line.replace(/\r+$/u, '');
  const [first = '', ...rest] = whole.slice(whole.lastIndexOf('\r') + 1).split(INTRODUCER);
  let [coloured, text, isPlain] = ['', first, true];
  for (const piece of rest) {
    const selection = SELECTION.exec(piece);
    if (selection === null) {
      text += INTRODUCER + piece;
      continue;
    }
    const codes = harmless((selection[1] ?? '').split(';').map(Number));
    coloured += safeLogLine(text);
    text = piece.slice(selection[0].length);
    if (codes.length === 0) continue;
    coloured += `${INTRODUCER}${codes.join(';')}m`;
    isPlain = codes.length === 1 && codes[0] === 0;
  }
  return coloured + safeLogLine(text) + (isPlain ? '' : RESET);
}

function harmless(codes: readonly number[]): number[] {
  const kept: number[] = [];
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (HARMLESS.has(code)) kept.push(code);
    if (!WITH_COLOUR.has(code)) continue;
    const length = codes[at + 1] === 5 ? 3 : codes[at + 1] === 2 ? 5 : 0;
    const colour = codes.slice(at, at + length);
    // What is no whole colour would make the terminal read the next codes as part of it.
    if (length === 0 || colour.length < length || colour.some((part) => part > 255)) return kept;
    kept.push(...colour);
    at += length - 1;
  }
  return kept;
}

function rangeOf(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
