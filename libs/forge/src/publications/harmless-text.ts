import { stripVTControlCharacters } from 'node:util';

/**
 * Text of strangers (commit titles, test names, log lines, file names) on its way into Markdown that people read:
 * it may say anything, and do nothing.
 */

/** Control characters, and format characters: bidirectional overrides, zero-width ones, tags. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** The same without the line feed and the tab. */
const UNSEEN_IN_LINES = /(?![\n\t])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** One line of plain text of at most `max` characters: nothing unseen, nothing that moves a cursor. */
export function plainLine(text: string, max: number): string {
  const seen = stripVTControlCharacters(text).replaceAll(/\s/gu, ' ').replaceAll(UNSEEN, '');
  return cut(seen.replaceAll(/ {2,}/g, ' ').trim(), max);
}

/** Plain text of several lines, at most `max` characters. */
export function plainLines(text: string, max: number): string {
  const lines = stripVTControlCharacters(text).replaceAll(/\r\n?/g, '\n').replaceAll(UNSEEN_IN_LINES, '');
  return cut(lines, max);
}

/** By UTF-16 units; a pair that the cut would part is left out whole. */
function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** A zero-width space of ours: what follows is no mention, no reference and no link. */
const BREAK = '&#8203;';

/** Prose: Markdown and HTML are shown as they were typed; `@name`, `#1` and addresses stay text. */
export function prose(text: string, max = 1_000): string {
  return plainLine(text, max)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~!]/g, String.raw`\$&`)
    .replaceAll(/[@#]/g, `$&${BREAK}`)
    .replaceAll('://', `:${BREAK}//`)
    .replaceAll(/\bwww\./gi, `www${BREAK}.`);
}

/** A name or a value, in a code span; backticks become apostrophes, since spans cannot escape them. */
export function code(text: string, max = 200): string {
  const line = plainLine(text, max).replaceAll('`', "'");
  return line === '' ? '(empty)' : `\`${line}\``;
}

/** The same in a cell of a table, where a bar would end the cell even inside a span. */
export function codeCell(text: string, max = 200): string {
  return code(text, max).replaceAll('|', String.raw`\|`);
}

/** Lines as they were written, in a fence that they cannot close. */
export function fenced(text: string, max = 4_000): string {
  const lines = plainLines(text, max).replace(/\n+$/, '');
  const longest = Math.max(2, ...[...lines.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${lines}\n${fence}`;
}
