const ESCAPE = 0x1b;
const BELL = 0x07;
const CSI_8_BIT = 0x9b;

/** Escape sequences longer than this are no colours: what follows is shown as text again. */
const SEQUENCE_CHARS_MAX = 256;

/** The text without terminal sequences (CSI, OSC and short ones). One pass, no backtracking. */
export function withoutTerminalCodes(text: string): string {
  if (!text.includes('\u001b') && !text.includes('\u009b')) return text;
  let clean = '';
  let kept = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code !== ESCAPE && code !== CSI_8_BIT) continue;
    const end = endOfSequence(text, at);
    clean += text.slice(kept, at);
    kept = end;
    at = end - 1;
  }
  return clean + text.slice(kept);
}

function endOfSequence(text: string, start: number): number {
  const eightBit = text.charCodeAt(start) === CSI_8_BIT;
  const introducer = text[start + 1];
  if (eightBit || introducer === '[') return endOfCsi(text, start + (eightBit ? 1 : 2));
  if (introducer === ']') return endOfOsc(text, start + 2);
  return endOfShort(text, start + 1);
}

/** Sequences of few characters, such as `ESC ( B`: those before the last one are spaces and marks. */
function endOfShort(text: string, from: number): number {
  const limit = Math.min(text.length, from + SEQUENCE_CHARS_MAX);
  let at = from;
  while (at < limit && text.charCodeAt(at) >= 0x20 && text.charCodeAt(at) <= 0x2f) at += 1;
  return Math.min(text.length, at + 1);
}

function endOfCsi(text: string, from: number): number {
  const limit = Math.min(text.length, from + SEQUENCE_CHARS_MAX);
  for (let at = from; at < limit; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x40 && code <= 0x7e) return at + 1;
    if (code < 0x20) return at;
  }
  return from;
}

function endOfOsc(text: string, from: number): number {
  const limit = Math.min(text.length, from + SEQUENCE_CHARS_MAX);
  for (let at = from; at < limit; at += 1) {
    if (text.charCodeAt(at) === BELL) return at + 1;
    if (text.charCodeAt(at) === ESCAPE) return Math.min(text.length, at + 2);
  }
  return from;
}

/** Ranges of code points that draw nothing, or that make text read differently from what it says. */
const UNSEEN: readonly (readonly [number, number])[] = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xd800, 0xdfff],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe0fff],
];

function isUnseen(code: number): boolean {
  return code !== 0x20 && UNSEEN.some(([first, last]) => code >= first && code <= last);
}

/** Text fit to be shown to a person: no control, bidirectional or invisible characters, no half surrogates. */
export function scrubbed(text: string): string {
  let clean = '';
  for (const character of withoutTerminalCodes(text)) {
    const code = character.codePointAt(0) ?? 0;
    if ((code >= 0x20 && code < 0x7f) || code === 0x0a || code === 0x09) clean += character;
    else if (!isUnseen(code)) clean += character;
  }
  return clean;
}

/** At most `charsMax` UTF-16 units, cut between characters and marked with an ellipsis. */
export function clipped(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const end = charsMax - 1;
  const last = text.charCodeAt(end - 1);
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end)}…`;
}

/** Shown text: bounded before and after scrubbing, so that the work is bounded too. */
export function shown(text: string, charsMax: number): string {
  return clipped(scrubbed(text.slice(0, charsMax * 4)).trim(), charsMax);
}

/** `shown`, on one line. */
export function shownOnOneLine(text: string, charsMax: number): string {
  const bounded = scrubbed(text.slice(0, charsMax * 4));
  return clipped(
    bounded
      .split(/[\n\t]/)
      .join(' ')
      .trim(),
    charsMax,
  );
}
