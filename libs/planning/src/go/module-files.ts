import { byText } from '../tree-paths.ts';

export interface GoReplacement {
  readonly path: string;
  /** The one version it holds for; null for all. */
  readonly version: string | null;
  readonly by: string;
  /** Null where a folder takes the place of the module. */
  readonly byVersion: string | null;
}

/** What planning reads of a `go.mod`. */
export interface GoMod {
  readonly module: string;
  readonly go: string | null;
  readonly toolchain: string | null;
  readonly requires: readonly { readonly path: string; readonly version: string }[];
  readonly replaces: readonly GoReplacement[];
  /** Folders that patterns like `./...` pass over, as written. */
  readonly ignored: readonly string[];
  /** Packages that `go tool` runs. */
  readonly tools: readonly string[];
  /** What bears on every package, comparable: the language version, settings of the compiler, the module's path. */
  readonly settings: string;
  /** Which versions of other modules are chosen, comparable. */
  readonly versions: string;
}

/** What planning reads of a `go.work`. */
export interface GoWork {
  /** Folders of the modules it joins, as written. */
  readonly uses: readonly string[];
  readonly replaces: readonly GoReplacement[];
}

/** Verbs that decide versions of other modules. */
const VERSIONS = new Set(['require', 'replace', 'exclude']);
/** Verbs that no build notices: advice to others, and what is only run by name. */
const NOT_BUILT = new Set(['retract', 'tool']);

/** Null when the text names no module. */
export function parseGoMod(text: string): GoMod | null {
  const directives = directivesOf(text);
  const argumentsOf = (verb: string): (readonly string[])[] =>
    directives.filter((each) => each.verb === verb).map((each) => each.words);
  const firstOf = (verb: string): string[] =>
    argumentsOf(verb).flatMap(([first]) => (first === undefined ? [] : [first]));
  const comparable = (holds: (verb: string) => boolean): string =>
    JSON.stringify(
      directives
        .filter(({ verb }) => holds(verb))
        .map(({ verb, words }) => [verb, ...words].join(' '))
        .sort(byText),
    );
  const module = firstOf('module')[0];
  if (module === undefined) return null;
  return {
    module,
    go: versionOf(firstOf('go')[0]),
    toolchain: versionOf(firstOf('toolchain')[0]?.replace(/^go/u, '')),
    requires: argumentsOf('require').map(([path = '', version = '']) => ({ path, version })),
    replaces: replacementsOf(directives),
    ignored: firstOf('ignore'),
    tools: firstOf('tool'),
    settings: comparable((verb) => !VERSIONS.has(verb) && !NOT_BUILT.has(verb)),
    versions: comparable((verb) => VERSIONS.has(verb)),
  };
}

export function parseGoWork(text: string): GoWork {
  const directives = directivesOf(text);
  const uses = directives.flatMap(({ verb, words: [folder] }) =>
    verb === 'use' && folder !== undefined ? [folder] : [],
  );
  return { uses, replaces: replacementsOf(directives) };
}

function replacementsOf(directives: readonly Directive[]): GoReplacement[] {
  return directives.flatMap(({ verb, words }) => {
    const arrow = words.indexOf('=>');
    if (verb !== 'replace' || arrow < 1) return [];
    return [
      {
        path: words[0] ?? '',
        version: arrow > 1 ? (words[1] ?? null) : null,
        by: words[arrow + 1] ?? '',
        byVersion: words[arrow + 2] ?? null,
      },
    ];
  });
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
