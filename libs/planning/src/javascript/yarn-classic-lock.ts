import { byText } from '../tree-paths.ts';
import { unreadable, type Lock, type LockSource } from './lock-source.ts';
import { MISSING, hostOf, missing, remembered, type PackageGraph } from './locked-packages.ts';

/** One block of the file: what one or several `name@range` resolve to. */
interface LockedPackage {
  readonly lines: string[];
  readonly dependencies: [name: string, range: string][];
  resolved: string | null;
}

/** Reads a `yarn.lock` of Yarn 1, a format of its own: blocks by indentation, words in quotes where they need them. */
export function readYarnClassicLock(source: LockSource, text: string): Lock {
  const blocks = parse(text);
  if (typeof blocks === 'string') return unreadable(source, blocks);
  return { kind: 'read', path: source.path, graph: graphOf(source.names, blocks) };
}

function parse(text: string): Map<string, LockedPackage> | string {
  const blocks = new Map<string, LockedPackage>();
  let block: LockedPackage | null = null;
  let inDependencies = false;
  for (const [at, line] of text.split(/\r?\n/u).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const indent = line.length - line.trimStart().length;
    const words = wordsOf(line.trim());
    const [first = '', second] = words;
    if (indent === 0) {
      if (!line.endsWith(':')) return `line ${at + 1} is not the beginning of a package`;
      block = { lines: [], dependencies: [], resolved: null };
      for (const pattern of words) blocks.set(pattern, block);
      inDependencies = false;
    } else if (block === null) return `line ${at + 1} belongs to no package`;
    else if (indent === 2) {
      inDependencies = /^(?:optionalD|d)ependencies$/u.test(first) && second === undefined;
      block.lines.push(words.join(' '));
      if (first === 'resolved') block.resolved = second ?? null;
    } else if (inDependencies && second !== undefined) block.dependencies.push([first, second]);
    else block.lines.push(words.join(' '));
  }
  return blocks;
}

/** Words of a line, between which spaces, commas and the colon at its end stand; what is in quotes is one word. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < line.length;) {
    if (/[\s,]/u.test(line.charAt(at))) at += 1;
    else {
      const quoted = line.charAt(at) === '"';
      const end = quoted ? endOfQuoted(line, at) : endOfPlain(line, at);
      const word = quoted ? line.slice(at + 1, end - 1).replaceAll(/\\(.)/gu, '$1') : line.slice(at, end);
      words.push(end === line.length && !quoted ? word.replace(/:$/u, '') : word);
      at = end;
    }
  }
  return words.filter((word) => word !== '' && word !== ':');
}

function endOfQuoted(line: string, at: number): number {
  for (let end = at + 1; end < line.length; end += 1) {
    if (line.charAt(end) === '\\') end += 1;
    else if (line.charAt(end) === '"') return end + 1;
  }
  return line.length;
}

function endOfPlain(line: string, at: number): number {
  let end = at;
  while (end < line.length && !/[\s,]/u.test(line.charAt(end))) end += 1;
  return end;
}

function graphOf(own: ReadonlySet<string>, blocks: ReadonlyMap<string, LockedPackage>): PackageGraph {
  const byName = patternsByName(blocks.keys());
  const found = (name: string, range: string): readonly string[] => {
    const pattern = `${name}@${range}`;
    if (blocks.has(pattern)) return [pattern];
    // Packages of the repository are linked, and not noted.
    if (own.has(name)) return [];
    // A resolution of the workspace's root took its place, or its peer is whatever lies nearest: any of that name.
    return byName.get(name) ?? [missing(pattern)];
  };
  return {
    direct: (_folder, declared) => new Map(declared.map(({ name, range }) => [name, found(name, range)])),
    next: remembered((pattern) =>
      (blocks.get(pattern)?.dependencies ?? []).flatMap(([name, range]) => found(name, range)),
    ),
    identity: remembered((pattern) => identityOf(blocks.get(pattern))),
    binaries: () => null,
    declarations: () => '',
    inStep: (_folder, declared) =>
      declared.every(({ name, range, kind }) => kind === 'peer' || own.has(name) || blocks.has(`${name}@${range}`)),
    settings: '',
    catalogs: null,
    hosts: hostsOf(blocks.values()),
  };
}

function patternsByName(patterns: Iterable<string>): Map<string, string[]> {
  const byName = new Map<string, string[]>();
  for (const pattern of patterns) {
    const name = nameOfPattern(pattern);
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [pattern]);
    else known.push(pattern);
  }
  return byName;
}

/** `@scope/name` of `@scope/name@range`. */
export function nameOfPattern(pattern: string): string {
  const at = pattern.indexOf('@', 1);
  return at < 0 ? pattern : pattern.slice(0, at);
}

function identityOf(block: LockedPackage | undefined): string {
  if (block === undefined) return MISSING;
  return JSON.stringify([block.lines, block.dependencies]);
}

function hostsOf(blocks: Iterable<LockedPackage>): string[] {
  const hosts = new Set<string>();
  for (const { resolved } of blocks) {
    const host = resolved === null ? null : hostOf(resolved);
    if (host !== null) hosts.add(host);
  }
  return [...hosts].sort(byText);
}
