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
  /** For which platforms gems are chosen, and the bundler that installs them, as comparable text. */
  readonly platforms: string;
  readonly bundler: string;
}

interface Section {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Sections with gems in them; others tell of the tools. */
const SOURCES = new Set(['GEM', 'GIT', 'PATH', 'PLUGIN SOURCE']);

interface OpenGem {
  readonly versions: string[];
  readonly next: string[];
  readonly folder: string | null;
}

/** @param folder the one the file lies in; null is for what is no lockfile of bundler */
export function readGemfileLock(text: string, folder: string): GemfileLock | null {
  const sections = sectionsOf(text);
  if (!sections.some(({ name }) => name === 'DEPENDENCIES')) return null;
  const checksums = Map.groupBy(linesOf(sections, 'CHECKSUMS'), (line) => line.split(' ', 1)[0] ?? '');
  const gems = new Map<string, OpenGem>();
  for (const section of sections) {
    if (SOURCES.has(section.name) && !addGems(gems, section, folder)) return null;
  }
  return {
    gems: new Map([...gems].map(([name, gem]) => [name, lockedGem(gem, checksums.get(name) ?? [])])),
    direct: linesOf(sections, 'DEPENDENCIES').map((line) => (line.split(' ', 1)[0] ?? '').replace(/!$/u, '')),
    remotes: sections
      .filter(({ name }) => name !== 'PATH')
      .flatMap(({ lines }) => lines.flatMap((line) => setting(line, 'remote') ?? [])),
    ruby:
      /^ruby (?<version>\d+(?:\.\d+){0,2})/u.exec(linesOf(sections, 'RUBY VERSION')[0] ?? '')?.groups?.['version'] ??
      null,
    platforms: linesOf(sections, 'PLATFORMS').join(' '),
    bundler: linesOf(sections, 'BUNDLED WITH').join(' '),
  };
}

/** Each text once: a gem may stand there as often as the file has lines. */
function lockedGem({ versions, next, folder }: OpenGem, checksums: readonly string[]): LockedGem {
  return { identity: [versions.join(' | '), ...checksums].join(' '), next: [...new Set(next)], folder };
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

/** As long as what says where gems come from reasonably is: it counts for each of them. */
const SOURCE_CHARS_MAX = 1_000;

/** Gems stand four spaces in, what they need six. False when nobody would write such a source. */
function addGems(gems: Map<string, OpenGem>, { name: kind, lines }: Section, folder: string): boolean {
  const source = lines
    .filter((line) => /^ {2}(?!specs:)\S/u.test(line))
    .map((line) => line.trim())
    .join(', ');
  if (source.length > SOURCE_CHARS_MAX) return false;
  const remote = lines.flatMap((line) => setting(line, 'remote') ?? [])[0] ?? '.';
  const place = kind === 'PATH' ? resolvePath(folder, remote) : null;
  let open: OpenGem | null = null;
  for (const line of lines) {
    const gem = /^ {4}(?<name>[^\s(]+)(?: \((?<version>[^)]*)\))?$/u.exec(line)?.groups;
    const needed = /^ {6}(?<name>[^\s(]+)/u.exec(line)?.groups?.['name'];
    if (needed !== undefined) open?.next.push(needed.replace(/!$/u, ''));
    if (gem === undefined) continue;
    const name = gem['name'] ?? '';
    const known = gems.get(name);
    open = { versions: known?.versions ?? [], next: known?.next ?? [], folder: place };
    open.versions.push(`${gem['version'] ?? ''} ${kind} ${source}`);
    gems.set(name, open);
  }
  return true;
}
