/**
 * Text of strangers on a terminal. Escape sequences can move the cursor, rewrite what was printed, set titles and fill
 * the clipboard; characters that reorder text make one thing look like another. Both are shown instead of obeyed.
 */

/** C0 and C1 control characters but newline and tab, DEL, and the marks that change the direction of text. */
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;
/** Colours and weights: the one kind of sequence that does nothing but colour. */
const COLOURS = /\u001b\[[0-9;:]{0,30}m/gu;

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? '\u2421' : `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** Several lines: newline and tab stay, everything else that a terminal would obey is made visible. */
export function safeText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSAFE, shown);
}

/** One line, for tables: breaks become spaces. */
export function safeLine(text: string): string {
  return safeText(text.replaceAll(/[\r\n\t]+/gu, ' ')).trim();
}

/**
 * One line of a log. Colours are left out, and a carriage return shows what it would have left standing: progress
 * bars overwrite themselves.
 */
export function safeLogLine(line: string): string {
  const plain = line.replace(COLOURS, '').replace(/\r+$/u, '');
  return safeText(plain.slice(plain.lastIndexOf('\r') + 1));
}
