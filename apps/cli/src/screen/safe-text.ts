import { withoutTerminalCodes } from '@delta-ci/analysis';

/**
 * Text of strangers on a terminal. Escape sequences can move the cursor, rewrite what was printed, set titles and fill
 * the clipboard; characters that reorder text make one thing look like another. Both are shown instead of obeyed.
 */

/** Control characters, marks that change the direction of text, lines and paragraphs of their own, and what cannot be seen at all. */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (character === '\n' || character === '\t') return character;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? '\u2421' : `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** Several lines: newline and tab stay, everything else that a terminal would obey is made visible. */
export function safeText(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(UNSAFE, shown);
}

/**
 * A value as JSON in which nothing is left that a terminal would obey: what a parser reads from it is the same.
 * @param indent spaces for each level; 0 for one line
 */
export function safeJson(value: unknown, indent = 0): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, null, indent).replaceAll(UNSAFE, (found) => (found === '\n' ? found : escaped(found)));
}

/** One line, for tables: breaks become spaces. */
export function safeLine(text: string): string {
  return safeText(text.replaceAll(/[\r\n\t]+/gu, ' ')).trim();
}

/**
 * One line of a log. Colours and other sequences are left out, and a carriage return shows what it would have left
 * standing: progress bars overwrite themselves.
 */
export function safeLogLine(line: string): string {
  const whole = line.replace(/\r+$/u, '');
  return safeText(withoutTerminalCodes(whole.slice(whole.lastIndexOf('\r') + 1)));
}
