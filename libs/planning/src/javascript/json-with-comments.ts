/**
 * JSON as people write it into settings: with comments, with commas before closing brackets, with a byte order mark.
 * Undefined when it is none even so. Takes time in proportion to the length.
 */
export function parseJsonWithComments(text: string): unknown {
  try {
    const value: unknown = JSON.parse(asPlainJson(text.replace(/^\uFEFF/u, '')));
    return value;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function asPlainJson(text: string): string {
  const kept: string[] = [];
  /** Where among what is kept a comma stands that nothing has followed yet. */
  let comma = -1;
  for (let at = 0; at < text.length;) {
    const end = endOfToken(text, at);
    const token = text.slice(at, end);
    at = end;
    if (token.startsWith('//') || token.startsWith('/*')) continue;
    // A comma counts when something other than a closing bracket follows it.
    if (comma >= 0 && /^[\]}]/u.test(token)) kept[comma] = ' ';
    if (token.trim() !== '') comma = token === ',' ? kept.length : -1;
    kept.push(token);
  }
  return kept.join('');
}

/** Strings, comments, commas, closing brackets, and runs of anything else. */
function endOfToken(text: string, at: number): number {
  const character = text.charAt(at);
  if (character === '"') return endOfString(text, at);
  if (text.startsWith('//', at)) return endBy(text, '\n', at);
  if (text.startsWith('/*', at)) return endBy(text, '*/', at + 2);
  if (/[,\]}/]/u.test(character)) return at + 1;
  const isSpace = character.trim() === '';
  for (let end = at + 1; end < text.length; end += 1) {
    const next = text.charAt(end);
    if (/[",\]}/]/u.test(next) || (next.trim() === '') !== isSpace) return end;
  }
  return text.length;
}

function endOfString(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end += 1) {
    const character = text.charAt(end);
    if (character === '\\') end += 1;
    else if (character === '"') return end + 1;
  }
  return text.length;
}

/** What is never closed reaches to the end, and is then no JSON. */
function endBy(text: string, close: string, from: number): number {
  const found = text.indexOf(close, from);
  return found < 0 ? text.length : found + close.length;
}
