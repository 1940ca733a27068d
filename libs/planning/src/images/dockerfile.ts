/** What planning reads of a Dockerfile. */
export interface Dockerfile {
  /** Images it begins with, apart from its own stages. */
  readonly bases: readonly string[];
  /** What it takes from the folder it is built in, as it is written: `.` for all of it. */
  readonly sources: readonly string[];
  /** All of it as it is written: a line with `#` may choose the syntax, or be one of a script. */
  readonly meaning: string;
}

/** Of a file that somebody wrote. */
const CHARS_MAX = 1_024 ** 2;
/** An image that takes more than this may as well take all of it. */
const SOURCES_MAX = 500;

export function readDockerfile(text: string): Dockerfile {
  // Nobody wrote it, and it may take anything.
  if (text.length > CHARS_MAX) return { bases: [], sources: ['.'], meaning: text };
  const lines = text
    .replaceAll('\r', '')
    .split('\n')
    .filter((line) => !/^\s*(?:#|$)/u.test(line));
  const instructions = lines
    .join('\n')
    .replaceAll(/[\\`][ \t]*\n/gu, ' ')
    .split('\n');
  const stages = new Set<string>();
  const bases: string[] = [];
  const sources = new Set<string>();
  for (const instruction of instructions) {
    const [name = '', ...words] = instruction.trim().split(/\s+/u);
    const flags = words.filter((word) => word.startsWith('--'));
    const rest = words.filter((word) => !word.startsWith('--'));
    if (/^from$/iu.test(name)) {
      const [image = '', as = '', stage = ''] = rest;
      if (!stages.has(image.toLowerCase())) bases.push(image);
      if (/^as$/iu.test(as)) stages.add(stage.toLowerCase());
    }
    const taken = /^(?:copy|add)$/iu.test(name) && !flags.some(isElsewhere) ? copied(rest) : [];
    const shown = /^run$/iu.test(name) ? flags.flatMap(mounted) : [];
    for (const source of [...taken, ...shown]) sources.add(source);
  }
  return { bases, sources: sources.size > SOURCES_MAX ? ['.'] : [...sources], meaning: text };
}

function isElsewhere(flag: string): boolean {
  return flag.startsWith('--from=');
}

/** All but the last word; a list in brackets is the same in another form. What a variable stands for may be anything. */
function copied(words: readonly string[]): string[] {
  const written = words.join(' ');
  const listed = written.startsWith('[')
    ? [...written.matchAll(/"(?<path>[^"]*)"/gu)].flatMap(({ groups }) => groups?.['path'] ?? [])
    : words;
  return listed
    .slice(0, -1)
    .filter((path) => !/^(?:https?:|git@|<<)/u.test(path))
    .map((path) => (path.includes('$') ? '.' : path.replace(/^\/+/u, '') || '.'));
}

/** What `--mount=type=bind` shows to a command. */
function mounted(flag: string): string[] {
  if (!flag.startsWith('--mount=')) return [];
  const terms = new Map(
    flag
      .slice('--mount='.length)
      .split(',')
      .map((term) => [term.split('=', 1)[0] ?? '', term.slice(term.indexOf('=') + 1)]),
  );
  if ((terms.get('type') ?? 'bind') !== 'bind' || terms.has('from')) return [];
  const source = terms.get('source') ?? terms.get('src') ?? '.';
  return [source.includes('$') ? '.' : source.replace(/^\/+/u, '') || '.'];
}

/** What a `.dockerignore` takes away, and gives back, as globs from the repository's root. @param context the folder it is for */
export function ignoredGlobs(text: string, context: string): string[] {
  const lines = text
    .slice(0, CHARS_MAX)
    .split('\n', IGNORED_MAX)
    .map((line) => line.trim());
  return lines.flatMap((line) => {
    if (line === '' || line.startsWith('#')) return [];
    const path = line
      .replace(/^!/u, '')
      .replace(/^\.?\/+/u, '')
      .replace(/\/+$/u, '');
    const at = context === '.' ? path : `${context}/${path}`;
    const sign = line.startsWith('!') ? '' : '!';
    return path === '' || path === '.' ? [] : [`${sign}${at}`, `${sign}${at}/**`];
  });
}

const IGNORED_MAX = 1_000;
