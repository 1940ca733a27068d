import { resolvePath } from '../tree-paths.ts';

/** What `Gemfile.lock` says of one gem. */
export interface LockedGem {
  /** Version, source, revision and checksum, as comparable text; several platforms are one. */
  readonly identity: string;
  readonly next: readonly string[];
  /** Where in the repository it lies; null for what comes from elsewhere. */
  readonly folder: string | null;
}

export interface GemfileLock {
  readonly gems: ReadonlyMap<string, LockedGem>;
  /** What the Gemfile asks for. */
  readonly direct: readonly string[];
  /** Where gems are fetched from. */
  readonly remotes: readonly string[];
  readonly ruby: string | null;
}

interface Section {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Sections with gems in them; others tell of the tools. */
const SOURCES = new Set(['GEM', 'GIT', 'PATH', 'PLUGIN SOURCE']);

/** @param folder the one the file lies in; null is for what is no lockfile of bundler */
export function readGemfileLock(text: string, folder: string): GemfileLock | null {
  const sections = sectionsOf(text);
  if (!sections.some(({ name }) => name === 'DEPENDENCIES')) return null;
  const checksums = new Map(linesOf(sections, 'CHECKSUMS').map((line) => [line.split(' ', 1)[0] ?? '', line]));
  const gems = new Map<string, LockedGem>();
  for (const section of sections) {
    if (SOURCES.has(section.name)) addGems(gems, section, folder, checksums);
  }
  return {
    gems,
    direct: linesOf(sections, 'DEPENDENCIES').map((line) => (line.split(' ', 1)[0] ?? '').replace(/!$/u, '')),
    remotes: sections
      .filter(({ name }) => name !== 'PATH')
      .flatMap(({ lines }) => lines.flatMap((line) => setting(line, 'remote') ?? [])),
    ruby:
      /^ruby (?<version>\d+(?:\.\d+){0,2})/u.exec(linesOf(sections, 'RUBY VERSION')[0] ?? '')?.groups?.['version'] ??
      null,
  };
}

function sectionsOf(text: string): Section[] {
  const sections: { name: string; lines: string[] }[] = [];
  for (const line of text.replaceAll('\r', '').split('\n')) {
    if (/^[A-Z][A-Z ]*$/u.test(line)) sections.push({ name: line, lines: [] });
    else if (line.trim() !== '') sections.at(-1)?.lines.push(line);
  }
  return sections;
}

function linesOf(sections: readonly Section[], name: string): string[] {
  return sections.filter((each) => each.name === name).flatMap(({ lines }) => lines.map((line) => line.trim()));
}

function setting(line: string, name: string): string | null {
  return line.startsWith(`  ${name}: `) ? line.slice(name.length + 4).trim() : null;
}

/** Gems stand four spaces in, what they need six. */
function addGems(
  gems: Map<string, LockedGem>,
  { name: kind, lines }: Section,
  folder: string,
  checksums: ReadonlyMap<string, string>,
): void {
  const source = lines
    .filter((line) => /^ {2}(?!specs:)\S/u.test(line))
    .map((line) => line.trim())
    .join(', ');
  const remote = lines.flatMap((line) => setting(line, 'remote') ?? [])[0] ?? '.';
  const place = kind === 'PATH' ? resolvePath(folder, remote) : null;
  let open: { identities: string[]; next: string[] } | null = null;
  for (const line of lines) {
    const gem = /^ {4}(?<name>[^\s(]+)(?: \((?<version>[^)]*)\))?$/u.exec(line)?.groups;
    const needed = /^ {6}(?<name>[^\s(]+)/u.exec(line)?.groups?.['name'];
    if (needed !== undefined) open?.next.push(needed.replace(/!$/u, ''));
    if (gem === undefined) continue;
    const name = gem['name'] ?? '';
    const known = gems.get(name);
    const version = `${gem['version'] ?? ''} ${checksums.get(name) ?? ''} ${kind} ${source}`.replace('  ', ' ');
    open = { identities: [...(known === undefined ? [] : [known.identity]), version], next: [...(known?.next ?? [])] };
    gems.set(name, { identity: open.identities.join(' | '), next: open.next, folder: place });
  }
}
