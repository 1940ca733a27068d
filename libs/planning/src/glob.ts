/**
 * Globs of workspace definitions and of `paths:`, matched without backtracking over regular expressions: patterns come
 * from strangers, and a matcher whose time explodes on `*a*a*a*` would stop the planner.
 */

/** A pattern with more alternatives than this is refused: real ones have a handful. */
const ALTERNATIVES_MAX = 256;

/** Twice what makes so many alternatives two by two: braces around a single name multiply nothing and still take time. */
const REPLACEMENTS_MAX = 4 * ALTERNATIVES_MAX;

/** As long as a path may be: what is longer matches none. */
const PATTERN_LENGTH_MAX = 4_096;

export type PathMatcher = (path: string) => boolean;

/**
 * Understands `*`, `?`, `[abc]`, `[a-z]`, `[!a]`, `{a,b}` and `**` as a whole part. Null for anything else that would need
 * more (extended globs, too many alternatives, more characters than a path): the caller says what then follows.
 */
export function compileGlob(pattern: string): PathMatcher | null {
  if (pattern.length > PATTERN_LENGTH_MAX || EXTENDED.test(pattern)) return null;
  const alternatives = expandBraces(pattern);
  if (alternatives === null) return null;
  const compiled = alternatives.map((alternative) => toParts(alternative));
  return (path) => {
    const names = namesOf(path);
    return compiled.some((parts) => matchParts(parts, names));
  };
}

const EXTENDED = /[!?+*@]\(/u;

/** Whether a pattern can match anything below a folder. Null where `compileGlob` gives up. */
function compileGlobBelow(pattern: string): PathMatcher | null {
  if (pattern.length > PATTERN_LENGTH_MAX || EXTENDED.test(pattern)) return null;
  const compiled = expandBraces(pattern)?.map((alternative) => toParts(alternative)) ?? null;
  return compiled && ((folder) => compiled.some((parts) => goesBelow(parts, namesOf(folder))));
}

function namesOf(path: string): string[] {
  return path === '.' ? [] : path.split('/');
}

function toParts(pattern: string): string[] {
  return pattern.split('/').filter((part) => part !== '' && part !== '.');
}

/** Each alternative is worked on by itself, so that the cost is that of the replacements and not of looking for them. */
function expandBraces(pattern: string): string[] | null {
  const done: string[] = [];
  const pending = [pattern];
  let replaced = 0;
  for (let each = pending.pop(); each !== undefined; each = pending.pop()) {
    const found = innermostBraces(each);
    if (found === null) done.push(each);
    else {
      const { before, choices, after } = found;
      replaced += choices.length;
      if (replaced > REPLACEMENTS_MAX) return null;
      for (const choice of choices) pending.push(before + choice + after);
    }
    if (done.length + pending.length > ALTERNATIVES_MAX) return null;
  }
  return done;
}

function innermostBraces(text: string): { before: string; choices: string[]; after: string } | null {
  const close = text.indexOf('}');
  const open = close < 0 ? -1 : text.lastIndexOf('{', close);
  if (open < 0) return null;
  return { before: text.slice(0, open), choices: text.slice(open + 1, close).split(','), after: text.slice(close + 1) };
}

/** Row by row over the pattern's parts: which prefixes of `names` the parts so far can match. */
function matchParts(parts: readonly string[], names: readonly string[]): boolean {
  let reached = names.map(() => false);
  reached.unshift(true);
  for (const part of parts) {
    reached = part === '**' ? afterAnyDepth(reached) : afterOneName(reached, names, part);
  }
  return reached[names.length] === true;
}

/** Whether a part is left over, or one of any depth met, when the folder's names are used up. */
function goesBelow(parts: readonly string[], names: readonly string[]): boolean {
  let reached = names.map(() => false);
  reached.unshift(true);
  for (const part of parts) {
    if (reached[names.length] === true || (part === '**' && reached.includes(true))) return true;
    reached = afterOneName(reached, names, part);
  }
  return false;
}

function afterAnyDepth(reached: readonly boolean[]): boolean[] {
  const first = reached.indexOf(true);
  return reached.map((_, at) => first >= 0 && at >= first);
}

function afterOneName(reached: readonly boolean[], names: readonly string[], part: string): boolean[] {
  return reached.map((_, at) => at > 0 && reached[at - 1] === true && matchName(part, names[at - 1] ?? ''));
}

/** One name against one part: on a mismatch only the last `*` is tried again, so the time is the product of the lengths. */
function matchName(part: string, name: string): boolean {
  let inPart = 0;
  let inName = 0;
  let star = -1;
  let starName = 0;
  while (inName < name.length) {
    const token = tokenAt(part, inPart);
    if (token === '*') {
      star = inPart;
      starName = inName;
      inPart += 1;
    } else if (token !== '' && matchesToken(token, name.charAt(inName))) {
      inPart += token.length;
      inName += 1;
    } else if (star >= 0) {
      starName += 1;
      inName = starName;
      inPart = star + 1;
    } else return false;
  }
  return /^\**$/u.test(part.slice(inPart));
}

/** A single character, or a whole `[...]`. */
function tokenAt(part: string, at: number): string {
  if (part.charAt(at) !== '[') return part.charAt(at);
  const close = part.indexOf(']', at + 2);
  return close < 0 ? '[' : part.slice(at, close + 1);
}

function matchesToken(token: string, character: string): boolean {
  if (token === '?') return true;
  if (token.length === 1) return token === character;
  const negated = token.charAt(1) === '!' || token.charAt(1) === '^';
  const members = token.slice(negated ? 2 : 1, -1);
  return inCharacterClass(members, character) !== negated;
}

function inCharacterClass(members: string, character: string): boolean {
  for (let at = 0; at < members.length; at += 1) {
    const from = members.charAt(at);
    if (members.charAt(at + 1) === '-' && at + 2 < members.length) {
      if (from <= character && character <= members.charAt(at + 2)) return true;
      at += 2;
    } else if (from === character) return true;
  }
  return false;
}

/**
 * Lists of patterns: the last one that matches decides, and those that begin with `!` take away. `notUnderstood` says
 * what becomes of a pattern that `compileGlob` refuses.
 */
export function compileGlobList(patterns: readonly string[], notUnderstood: 'matches' | 'never'): PathMatcher {
  const compiled = patterns.map((pattern) => {
    const negated = pattern.startsWith('!');
    const matches = compileGlob(negated ? pattern.slice(1) : pattern);
    // What cannot be understood may add, and never takes away.
    return { negated, matches: matches ?? ((): boolean => notUnderstood === 'matches' && !negated) };
  });
  return (path) => compiled.findLast(({ matches }) => matches(path))?.negated === false;
}

/** Whether anything below a folder can match a list of patterns: what takes away may take away only some of it. */
export function compileGlobListBelow(patterns: readonly string[], notUnderstood: 'matches' | 'never'): PathMatcher {
  const compiled = patterns
    .filter((pattern) => !pattern.startsWith('!'))
    .map((pattern) => compileGlobBelow(pattern) ?? ((): boolean => notUnderstood === 'matches'));
  return (folder) => compiled.some((matches) => matches(folder));
}

/** A pattern for one path: characters that mean something in patterns are widened to any one character. */
export function literalPattern(path: string): string {
  return path.replace(/[*?[\]{}!(),]/gu, '?');
}

/** The folder below which everything lies that a pattern can match: its parts up to the first with a wildcard. */
export function literalFolderOf(pattern: string): string {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.');
  const first = parts.findIndex((part) => /[*?[{(]/u.test(part));
  const literal = first < 0 ? parts.slice(0, -1) : parts.slice(0, first);
  return literal.length === 0 ? '.' : literal.join('/');
}
