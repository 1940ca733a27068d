import { loadAll } from 'js-yaml';
import { asRecord, asText, memberOf, sortedText, textMembers, type ParsedRecord } from '../parsed-values.ts';
import { byText, relativeTo, resolvePath } from '../tree-paths.ts';
import { NOT_TEXT, unreadable, type Lock, type LockSource } from './lock-source.ts';
import { MISSING, missing, remembered, sameDeclarations, type PackageGraph } from './locked-packages.ts';

const DEPENDENCY_MEMBERS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;

/**
 * Concern no importer, or stand with each importer already: what a catalog chose does, and a patched package carries the
 * hash of its patch in its key.
 */
const NOT_GLOBAL = new Set([
  'importers',
  'packages',
  'snapshots',
  'catalogs',
  'patchedDependencies',
  'lockfileVersion',
  'time',
]);

/** Reads `pnpm-lock.yaml`: the shapes of versions 5 to 9, with or without importers, in one document or several. */
export function readPnpmLock(source: LockSource): Lock {
  if (source.text === undefined) return unreadable(source, NOT_TEXT);
  const documents = parseDocuments(source.text);
  if (typeof documents === 'string') return unreadable(source, documents);
  const main = documents.at(-1);
  const version = main === undefined ? null : majorVersion(memberOf(main, 'lockfileVersion'));
  if (main === undefined || version === null || version < 5 || version > 9) {
    return unreadable(source, 'its lockfileVersion is not one of 5 to 9');
  }
  return { kind: 'read', path: source.path, graph: graphOf(source, main, documents.slice(0, -1)) };
}

function parseDocuments(text: string): ParsedRecord[] | string {
  try {
    // The package manager writes no aliases; a stranger's file could multiply itself with them.
    const documents = loadAll(text, { maxAliases: 0 });
    const records = documents.map(asRecord).filter((record) => record !== null);
    return records.length === documents.length ? records : 'it holds something that is no mapping';
  } catch (error) {
    return `it is not YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unknown reason'}`;
  }
}

function majorVersion(value: unknown): number | null {
  const major = Number.parseInt(String(value), 10);
  return Number.isNaN(major) ? null : major;
}

function isPerImporter(main: ParsedRecord, name: string): boolean {
  if (NOT_GLOBAL.has(name)) return true;
  // A lockfile of a single package has its dependencies at the top.
  return main['importers'] === undefined && (name === 'specifiers' || DEPENDENCY_MEMBERS.some((each) => each === name));
}

function graphOf(source: LockSource, main: ParsedRecord, earlier: readonly ParsedRecord[]): PackageGraph {
  const lock = lockedPackages(source, main);
  const importer = (folder: string): unknown => importerOf(main, relativeTo(source.workspace, folder));
  return {
    direct: (folder) => directOf(lock, importer(folder), folder),
    next: remembered((key) => lock.entriesOf(key).flatMap((entry) => dependencyKeys(lock, entry))),
    identity: remembered((key) => identityOf(lock, key)),
    // Which names it brings is not noted, only that it does.
    binaries: (key) => (lock.entriesOf(key).some((entry) => memberOf(entry, 'hasBin') === true) ? null : []),
    declarations: (folder) => {
      const entry = importer(folder);
      return sortedText(['specifiers', ...DEPENDENCY_MEMBERS].map((member) => memberOf(entry, member) ?? null));
    },
    inStep: (folder, declared) => sameDeclarations(specifiersOf(importer(folder)), declared),
    settings: sortedText([earlier, Object.entries(main).filter(([name]) => !isPerImporter(main, name))]),
    catalogs: memberOf(main, 'catalogs') ?? null,
    hosts: [],
  };
}

interface LockedPackages extends LockSource {
  /** What is noted under a key, in one place or two; empty when nothing is. */
  readonly entriesOf: (key: string) => readonly unknown[];
}

function lockedPackages(source: LockSource, main: ParsedRecord): LockedPackages {
  const packages = memberOf(main, 'packages');
  const snapshots = memberOf(main, 'snapshots');
  const entriesOf = remembered((key) =>
    // Version 9 keeps what depends on peers (`a@1.0.0(b@2.0.0)`) apart from the package itself (`a@1.0.0`).
    [memberOf(snapshots, key), memberOf(packages, key) ?? memberOf(packages, withoutPeers(key))].filter(
      (entry) => entry !== undefined,
    ),
  );
  return { ...source, entriesOf };
}

function withoutPeers(key: string): string {
  const peers = key.indexOf('(');
  return peers < 0 ? key : key.slice(0, peers);
}

function importerOf(main: ParsedRecord, name: string): unknown {
  const importers = asRecord(memberOf(main, 'importers'));
  return importers === null && name === '.' ? main : memberOf(importers, name);
}

function directOf(lock: LockedPackages, importer: unknown, folder: string): Map<string, readonly string[]> {
  const direct = DEPENDENCY_MEMBERS.flatMap((member) =>
    Object.entries(asRecord(memberOf(importer, member)) ?? {}).map(([name, value]): [string, readonly string[]] => {
      const version = asText(value) ?? asText(memberOf(value, 'version')) ?? '';
      return [name, isOwn(lock, folder, version) ? [] : keysOf(lock, name, version)];
    }),
  );
  return new Map(direct);
}

/** A package of the repository that is linked, which has a closure of its own. Links to other folders hold nothing external. */
function isOwn({ roots }: LockedPackages, folder: string, version: string): boolean {
  const copied = /^file:([^()]+)/u.exec(version)?.[1];
  const target = copied === undefined ? null : resolvePath(folder, copied);
  return version.startsWith('link:') || (target !== null && roots.has(target) && !version.includes('('));
}

function dependencyKeys(lock: LockedPackages, entry: unknown): string[] {
  return DEPENDENCY_MEMBERS.flatMap((member) =>
    textMembers(memberOf(entry, member)).flatMap(([name, version]) =>
      version.startsWith('link:') ? [] : keysOf(lock, name, version),
    ),
  );
}

/** Across versions a resolved dependency is written `1.0.0`, `/name@1.0.0`, `name@1.0.0` (an alias) or `/name/1.0.0`. */
function keysOf({ entriesOf }: LockedPackages, name: string, version: string): string[] {
  const candidates = [`${name}@${version}`, `/${name}@${version}`, `/${name}/${version}`, version];
  return [candidates.find((key) => entriesOf(key).length > 0) ?? missing(`${name}@${version}`)];
}

/** `dev` says who else uses a package: not part of what it is. */
function identityOf({ entriesOf }: LockedPackages, key: string): string {
  const entries = entriesOf(key);
  if (entries.length === 0) return MISSING;
  const members = entries.flatMap((entry) => Object.entries(asRecord(entry) ?? {}));
  return sortedText(members.filter(([name]) => name !== 'dev').sort(([one], [other]) => byText(one, other)));
}

/** Before version 6 ranges stand apart from what they resolved to. */
function specifiersOf(importer: unknown): Map<string, string> {
  const apart = textMembers(memberOf(importer, 'specifiers'));
  const beside = DEPENDENCY_MEMBERS.flatMap((member) =>
    Object.entries(asRecord(memberOf(importer, member)) ?? {}).map(([name, value]): [string, string] => [
      name,
      asText(memberOf(value, 'specifier')) ?? '',
    ]),
  );
  return new Map(apart.length > 0 ? apart : beside);
}
