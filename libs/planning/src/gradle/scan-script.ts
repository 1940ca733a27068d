/** A token of a Groovy or Kotlin script. Comments are left out, and what stands inside of texts is not looked at. */
export interface ScriptToken {
  readonly kind: 'word' | 'text' | 'sign';
  readonly value: string;
}

/**
 * Each form to its end or that of the script, so that the time is that of reading it once. Two slashes behind a backslash
 * are the end of a text between slashes, of which nothing else is known.
 */
const TOKEN =
  /(?<!\\)\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[\p{L}_$\d][\p{L}_\p{N}]*|[^\s\p{L}\p{N}_]/gu;

export function scanScript(text: string): ScriptToken[] {
  const tokens: ScriptToken[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.startsWith('//') || token.startsWith('/*')) continue;
    if (/^["']/u.test(token))
      tokens.push({ kind: 'text', value: token.replace(/^(?:"""|'''|["'])|(?:"""|'''|["'])$/gu, '') });
    else tokens.push({ kind: /^[\p{L}_$\d]/u.test(token) ? 'word' : 'sign', value: token });
  }
  return tokens;
}

export function isToken(
  token: ScriptToken | undefined,
  kind: ScriptToken['kind'],
  value?: string,
): token is ScriptToken {
  return token?.kind === kind && (value === undefined || token.value === value);
}

/** Texts that follow from `at`, separated by commas, in parentheses or not; null when something else stands among them. */
export function textsFrom(tokens: readonly ScriptToken[], at: number): string[] | null {
  const texts: string[] = [];
  for (let next = isToken(tokens[at], 'sign', '(') ? at + 1 : at; ; next += 2) {
    const token = tokens[next];
    // A comma may stand behind the last one.
    if (!isToken(token, 'text')) return isToken(token, 'sign', ')') && texts.length > 0 ? texts : null;
    texts.push(token.value);
    if (!isToken(tokens[next + 1], 'sign', ',')) return texts;
  }
}
