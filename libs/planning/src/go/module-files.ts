import { byText } from '../tree-paths.ts';

/** What planning reads of a `go.mod`. */
export interface GoMod {
  readonly module: string;
  readonly go: string | null;
  readonly toolchain: string | null;
  readonly requires: readonly { readonly path: string; readonly version: string }[];
  readonly replaces: readonly { readonly path: string; readonly by: string }[];
  /** The directives without comments, spacing and order: equal texts build the same. */
  readonly meaning: string;
}

/** Null when the text names no module. */
export function parseGoMod(text: string): GoMod | null {
  const directives = directivesOf(text);
  const argumentsOf = (verb: string): (readonly string[])[] =>
    directives.filter((each) => each.verb === verb).map((each) => each.words);
  const module = argumentsOf('module')[0]?.[0];
  if (module === undefined) return null;
  return {
    module,
    go: versionOf(argumentsOf('go')[0]?.[0]),
    toolchain: versionOf(argumentsOf('toolchain')[0]?.[0]?.replace(/^go/u, '')),
    requires: argumentsOf('require').map(([path = '', version = '']) => ({ path, version })),
    replaces: argumentsOf('replace').flatMap((words) => {
      const arrow = words.indexOf('=>');
      return arrow < 1 ? [] : [{ path: words[0] ?? '', by: words[arrow + 1] ?? '' }];
    }),
    meaning: JSON.stringify(directives.map(({ verb, words }) => [verb, ...words].join(' ')).sort(byText)),
  };
}

/** Folders that a `go.work` joins, as written. */
export function parseGoWork(text: string): string[] {
  return directivesOf(text).flatMap(({ verb, words: [folder] }) =>
    verb === 'use' && folder !== undefined ? [folder] : [],
  );
}

function versionOf(text: string | undefined): string | null {
  return text !== undefined && /^\d[\w.]{0,50}$/u.test(text) ? text : null;
}

interface Directive {
  readonly verb: string;
  readonly words: readonly string[];
}

/** `require a v1` and the lines of `require ( … )` alike. */
function directivesOf(text: string): Directive[] {
  const directives: Directive[] = [];
  let block: string | null = null;
  for (const line of text.split('\n')) {
    const words = wordsOf(line);
    const [first] = words;
    if (first === undefined) continue;
    if (block !== null && first === ')') block = null;
    else if (block !== null) directives.push({ verb: block, words });
    else if (words[1] === '(') block = first;
    else directives.push({ verb: first, words: words.slice(1) });
  }
  return directives;
}

/** Words of a line, unquoted, up to a comment. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [word] of line.replace(/\(/gu, ' ( ').matchAll(/"[^"]*"|`[^`]*`|\S+/gu)) {
    if (word.startsWith('//')) break;
    words.push(word.replace(/^["`]|["`]$/gu, ''));
  }
  return words;
}
