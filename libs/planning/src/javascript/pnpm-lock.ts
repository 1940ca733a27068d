import { loadAll } from 'js-yaml';
import { asRecord, asText, memberOf, sortedText, textMembers, type ParsedRecord } from '../parsed-values.ts';
import { byText, relativeTo } from '../tree-paths.ts';
import { reachable, type Lock } from './external-packages.ts';

const DEPENDENCY_MEMBERS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;

/** Concern every importer alike when they change. What a catalog chose stands with each importer already. */
const NOT_GLOBAL = new Set(['importers', 'packages', 'snapshots', 'catalogs', 'lockfileVersion', 'time']);

/**
 * Reads `pnpm-lock.yaml`: the shapes of versions 5 to 9, with or without importers, in one document or several.
 * `workspace` is the folder the lockfile lies in: importers are named from there.
 */
export function readPnpmLock(path: string, workspace: string, text: string | undefined): Lock {
  if (text === undefined) return { kind: 'unreadable', path, reason: 'it is too large or not text' };
  const documents = parseDocuments(text);
  if (typeof documents === 'string') return { kind: 'unreadable', path, reason: documents };
  const main = documents.at(-1);
  const version = main === undefined ? null : majorVersion(memberOf(main, 'lockfileVersion'));
  if (main === undefined || version === null || version < 5 || version > 9) {
    return { kind: 'unreadable', path, reason: 'its lockfileVersion is not one of 5 to 9' };
  }
  const common = sortedText([
    documents.slice(0, -1),
    Object.entries(main).filter(([name]) => !isPerImporter(main, name)),
  ]);
  const graph = packageGraph(main);
  return {
    kind: 'read',
    path,
    hosts: [],
    closureOf: (folder) => closureOf(main, graph, relativeTo(workspace, folder), common),
  };
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

interface PackageGraph {
  readonly identity: (key: string) => string;
  readonly next: (key: string) => string[];
}

function packageGraph(main: ParsedRecord): PackageGraph {
  const packages = memberOf(main, 'packages');
  const snapshots = memberOf(main, 'snapshots');
  const entriesOf = (key: string): readonly unknown[] => [
    memberOf(snapshots, key),
    // Version 9 keeps what depends on peers (`a@1.0.0(b@2.0.0)`) apart from the package itself (`a@1.0.0`).
    memberOf(packages, key) ?? memberOf(packages, key.replace(/\(.*$/u, '')),
  ];
  const known = (key: string): boolean => entriesOf(key).some((entry) => entry !== undefined);
  return {
    identity: (key) => (known(key) ? sortedText(entriesOf(key).map((entry) => withoutMarks(entry))) : 'missing'),
    next: (key) => entriesOf(key).flatMap((entry) => dependencyKeys(entry, known)),
  };
}

/** `dev` says who else uses a package: not part of what it is. */
function withoutMarks(entry: unknown): unknown {
  const record = asRecord(entry);
  return record === null ? null : { ...record, dev: undefined };
}

function dependencyKeys(entry: unknown, known: (key: string) => boolean): string[] {
  return DEPENDENCY_MEMBERS.flatMap((member) =>
    textMembers(memberOf(entry, member)).flatMap(([name, version]) => keyOf(name, version, known)),
  );
}

/** Across versions a resolved dependency is written `1.0.0`, `/name@1.0.0`, `name@1.0.0` (an alias) or `link:../x`. */
function keyOf(name: string, version: string, known: (key: string) => boolean): string[] {
  if (version.startsWith('link:')) return [];
  const candidates = [`${name}@${version}`, `/${name}@${version}`, `/${name}/${version}`, version];
  return [candidates.find(known) ?? `(missing) ${name}@${version}`];
}

function closureOf(main: ParsedRecord, graph: PackageGraph, importer: string, common: string): Map<string, string> {
  const importers = asRecord(memberOf(main, 'importers'));
  const entry = importers === null && importer === '.' ? main : memberOf(importers, importer);
  const known = (key: string): boolean => graph.identity(key) !== 'missing';
  const direct = DEPENDENCY_MEMBERS.flatMap((member) =>
    Object.entries(asRecord(memberOf(entry, member)) ?? {}).flatMap(([name, value]) =>
      keyOf(name, asText(value) ?? asText(memberOf(value, 'version')) ?? '', known),
    ),
  );
  const keys = [...reachable(direct, graph.next)].sort(byText);
  const declared = sortedText(['specifiers', ...DEPENDENCY_MEMBERS].map((member) => memberOf(entry, member) ?? null));
  return new Map([
    ...keys.map((key): [string, string] => [key, graph.identity(key)]),
    [`(${importer})`, declared],
    ['(settings)', common],
  ]);
}
