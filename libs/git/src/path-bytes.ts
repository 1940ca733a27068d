import { isUtf8 } from 'node:buffer';
import { done, failed, type GitResult } from './git-error.ts';
import { oneSafeLine } from './text-for-people.ts';

/**
 * Paths in git are bytes; here they are strings, and nothing is lost on the way. Valid UTF-8 is decoded as it is. A byte that
 * is not part of valid UTF-8 becomes one code point, `U+10FE00 + byte` (so U+10FE80 to U+10FEFF, in a private-use plane):
 * well-formed, storable anywhere, and the rest of the path keeps its place. Should a path really hold one of those code
 * points, its four bytes are escaped one by one, so that every string stands for exactly one sequence of bytes.
 */
const ESCAPE_BASE = 0x10_fe00;
const FIRST_ESCAPE = ESCAPE_BASE + 0x80;
const LAST_ESCAPE = ESCAPE_BASE + 0xff;

/** The first two bytes of every escape code point in UTF-8: a quick way to see that a path has none. */
const ESCAPE_LEAD = Buffer.from([0xf4, 0x8f]);

const ESCAPES = /[\u{10FE80}-\u{10FEFF}]/u;

function isEscape(codePoint: number): boolean {
  return codePoint >= FIRST_ESCAPE && codePoint <= LAST_ESCAPE;
}

/** Length in bytes of the valid UTF-8 sequence that begins at `at`, or 0 when there is none. */
function validSequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  return isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

function decodeWithEscapes(bytes: Buffer): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const length = validSequenceLength(bytes, at);
    const sequence = length === 0 ? '' : bytes.toString('utf8', at, at + length);
    const taken = Math.max(1, length);
    if (sequence !== '' && !isEscape(sequence.codePointAt(0) ?? 0)) text += sequence;
    else for (const byte of bytes.subarray(at, at + taken)) text += String.fromCodePoint(ESCAPE_BASE + byte);
    at += taken;
  }
  return text;
}

/** A path's bytes as a string; see above for bytes that are not UTF-8. */
export function decodePath(bytes: Buffer): string {
  if (isUtf8(bytes) && !bytes.includes(ESCAPE_LEAD)) return bytes.toString('utf8');
  return decodeWithEscapes(bytes);
}

/** The bytes a path string stands for. Refuses strings that stand for none: with NUL, lone surrogates, or a needless escape. */
export function encodePath(path: string): GitResult<Buffer> {
  if (path.includes('\0') || !path.isWellFormed()) {
    return failed('invalid_path', `"${oneSafeLine(path, 120)}" cannot be written as a path`);
  }
  if (!ESCAPES.test(path)) return done(Buffer.from(path, 'utf8'));
  const bytes = Buffer.concat(
    Array.from(path, (character) => {
      const codePoint = character.codePointAt(0) ?? 0;
      return isEscape(codePoint) ? Buffer.from([codePoint - ESCAPE_BASE]) : Buffer.from(character, 'utf8');
    }),
  );
  if (decodePath(bytes) !== path) {
    return failed('invalid_path', `"${oneSafeLine(path, 120)}" escapes bytes that need no escape`);
  }
  return done(bytes);
}
