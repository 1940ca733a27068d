/**
 * Globs over paths with `/` between parts: `*` and `?` within a part, `**` as a whole part for any number of parts,
 * `{a,b}` for either. Matching is dynamic programming over parts and characters: its time is bounded by pattern length
 * times path length, whatever a stranger writes as pattern.
 */
export interface Glob {
  readonly matches: (path: string) => boolean;
  /** Whether something in this folder, or deeper, may match: a walk that asks need not enter any other. */
  readonly mayMatchBelow: (folder: string) => boolean;
}

/** Alternatives multiply; more than this many is nobody's honest pattern. */
const ALTERNATIVES_MAX = 64;

/** `a{b,c}d` -> `abd`, `acd`; braces do not nest. Null when there are too many. */
function expandBraces(pattern: string): readonly string[] | null {
  const open = pattern.indexOf('{');
  const close = pattern.indexOf('}', open);
  if (open < 0 || close < 0) return [pattern];
  const tails = expandBraces(pattern.slice(close + 1));
  if (tails === null) return null;
  const head = pattern.slice(0, open);
  const choices = pattern.slice(open + 1, close).split(',');
  if (choices.length * tails.length > ALTERNATIVES_MAX) return null;
  return choices.flatMap((choice) => tails.map((tail) => `${head}${choice}${tail}`));
}

/** The classic two-pointer wildcard match: on a mismatch, let the last `*` swallow one more character. */
function partMatches(pattern: string, part: string): boolean {
  let p = 0;
  let star = -1;
  let resume = 0;
  for (let s = 0; s < part.length;) {
    if (pattern[p] === '*') {
      star = p;
      p += 1;
      resume = s;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === part[s])) {
      p += 1;
      s += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      s = resume;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** `reachable[i]`: the parts seen so far can be matched by the first i parts of the pattern. */
function advance(pattern: readonly string[], reachable: readonly boolean[], part: string): readonly boolean[] {
  const next = Array<boolean>(pattern.length + 1).fill(false);
  pattern.forEach((wanted, index) => {
    if (reachable[index] !== true) return;
    if (wanted === '**') next[index] = true;
    else if (partMatches(wanted, part)) next[index + 1] = true;
  });
  return skipDoubleStars(pattern, next);
}

/** `**` also matches nothing. */
function skipDoubleStars(pattern: readonly string[], reachable: readonly boolean[]): readonly boolean[] {
  const closed = [...reachable];
  pattern.forEach((wanted, index) => {
    if (wanted === '**' && closed[index] === true) closed[index + 1] = true;
  });
  return closed;
}

function reachableBy(pattern: readonly string[], path: readonly string[]): readonly boolean[] {
  const start = skipDoubleStars(
    pattern,
    Array.from({ length: pattern.length + 1 }, (_, index) => index === 0),
  );
  return path.reduce((reachable, part) => advance(pattern, reachable, part), start);
}

function pathMatches(pattern: readonly string[], path: readonly string[]): boolean {
  return reachableBy(pattern, path)[pattern.length] === true;
}

/** Some of the pattern is left for what lies deeper. */
function folderLeadsOn(pattern: readonly string[], folder: readonly string[]): boolean {
  return reachableBy(pattern, folder).slice(0, pattern.length).includes(true);
}

const partsOf = (path: string): readonly string[] => path.split('/').filter((part) => part !== '' && part !== '.');

/** Compiles a glob; null when it climbs out (`..`), or has too many alternatives. */
export function compileGlob(pattern: string): Glob | null {
  const alternatives = expandBraces(pattern)?.map(partsOf);
  if (alternatives === undefined || alternatives.some((parts) => parts.includes('..'))) return null;
  const some =
    (holds: typeof pathMatches) =>
    (path: string): boolean => {
      const parts = partsOf(path);
      return alternatives.some((alternative) => holds(alternative, parts));
    };
  return { matches: some(pathMatches), mayMatchBelow: some(folderLeadsOn) };
}
