/** Deeper than anything a forge or a client of ours sends (GitHub's deepest payloads nest about 10 levels). */
export const JSON_DEPTH_MAX = 64;

export type ParsedJson = { ok: true; value: unknown } | { ok: false; problem: string };

/**
 * Parses UTF-8 JSON. Nesting is looked at first, so that hostile depth never reaches a recursive reader. Escapes can
 * write halves of surrogate pairs, which nothing can record: U+FFFD stands for them, as for any broken character.
 */
export function parseJson(bytes: Uint8Array): ParsedJson {
  if (isDeeperThan(bytes, JSON_DEPTH_MAX)) {
    return { ok: false, problem: `the body nests deeper than ${JSON_DEPTH_MAX} levels` };
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { ok: true, value: HALF.test(text) ? JSON.parse(text, withWholeCharacters) : JSON.parse(text) };
  } catch (error) {
    return { ok: false, problem: error instanceof SyntaxError ? 'the body is not JSON' : 'the body is not UTF-8' };
  }
}

/** UTF-8 has no halves, so only escapes can make them. */
const HALF = /\\u[dD][89a-fA-F]/u;

function withWholeCharacters(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Counts brackets outside strings. For text that is not JSON any answer will do: parsing refuses it. */
function isDeeperThan(bytes: Uint8Array, depthMax: number): boolean {
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (OPENING.has(byte)) depth += 1;
    else if (CLOSING.has(byte)) depth -= 1;
    if (depth > depthMax) return true;
  }
  return false;
}

/** Place of the quote that ends the string which begins at `from`. */
function endOfString(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
