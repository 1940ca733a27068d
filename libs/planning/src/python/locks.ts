import { parseJsonObject } from '../javascript/package-manifest.ts';
import { reachable } from '../javascript/locked-packages.ts';
import { asRecord, asText, asTexts, memberOf, sortedText } from '../parsed-values.ts';
import { parseToml } from '../toml-text.ts';
import { byText, fileNameOf } from '../tree-paths.ts';
import { normalName, parseRequirement, type Requirement } from './requirement-lines.ts';

/**
 * A lockfile, read: packages by name, with `name[extra]` for what an extra adds. Versions for different platforms are one:
 * whoever needs a name gets all of them.
 */
export type PythonLock =
  | { readonly kind: 'read'; readonly path: string; readonly packages: ReadonlyMap<string, LockedDistribution> }
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string };

export interface LockedDistribution {
  readonly identity: string;
  readonly next: readonly string[];
}

/** Names of the lockfiles that are read, and who writes them. */
export const LOCK_FILES = { uv: 'uv.lock', poetry: 'poetry.lock', pdm: 'pdm.lock', pipenv: 'Pipfile.lock' } as const;

export function readPythonLock(path: string, text: string | undefined): PythonLock {
  const unreadable = (reason: string): PythonLock => ({ kind: 'unreadable', path, reason });
  if (text === undefined) return unreadable('it is too large or not text');
  if (fileNameOf(path) === LOCK_FILES.pipenv) return readPipfileLock(path, text);
  const root = parseToml(text);
  if (root === null) return unreadable('it is not TOML');
  const version = memberOf(root, 'version');
  if (fileNameOf(path) === LOCK_FILES.uv && version !== 1)
    return unreadable(`version ${JSON.stringify(version)} is not one that is known (1)`);
  const entries = memberOf(root, 'package');
  if (entries !== undefined && !Array.isArray(entries)) return unreadable('it has no list of packages');
  const packages = new Map<string, { identities: string[]; next: string[] }>();
  for (const entry of entries ?? []) addPackage(packages, entry, memberOf(memberOf(root, 'metadata'), 'files'));
  return {
    kind: 'read',
    path,
    packages: new Map(
      [...packages].map(([name, { identities, next }]) => [
        name,
        { identity: identities.sort(byText).join(' '), next },
      ]),
    ),
  };
}

/** What is installed, for which machines, and under which conditions it brings others along. */
const IDENTITY = [
  'version',
  'source',
  'sdist',
  'wheels',
  'files',
  'marker',
  'markers',
  'resolution-markers',
  'dependencies',
  'optional-dependencies',
];

function addPackage(
  packages: Map<string, { identities: string[]; next: string[] }>,
  entry: unknown,
  files: unknown,
): void {
  const written = asText(memberOf(entry, 'name'));
  if (written === null) return;
  const name = normalName(written);
  const add = (location: string, identity: string | null, next: readonly string[]): void => {
    const known = packages.get(location) ?? { identities: [], next: [] };
    packages.set(location, known);
    if (identity !== null) known.identities.push(identity);
    known.next.push(...next);
  };
  const identity = IDENTITY.map((member) => memberOf(entry, member) ?? null);
  add(name, sortedText([...identity, memberOf(files, written) ?? null]), locationsOf(memberOf(entry, 'dependencies')));
  const extras = Object.entries(
    asRecord(memberOf(entry, 'optional-dependencies')) ?? asRecord(memberOf(entry, 'extras')) ?? {},
  );
  for (const [extra, list] of extras) add(`${name}[${normalName(extra)}]`, null, [name, ...locationsOf(list)]);
  const groups = asRecord(memberOf(entry, 'dev-dependencies')) ?? {};
  for (const [group, list] of Object.entries(groups)) add(`${name}[group ${group}]`, null, locationsOf(list));
}

/** Dependencies are written as tables (uv), as requirements (pdm, extras of poetry), or by name (poetry). */
function locationsOf(written: unknown): string[] {
  if (Array.isArray(written)) {
    return written.flatMap((each: unknown) => {
      if (typeof each === 'string') return locationsFor(parseRequirement(each, '.'));
      const name = asText(memberOf(each, 'name'));
      return name === null
        ? []
        : locationsFor({ name: normalName(name), extras: asTexts(memberOf(each, 'extra')) ?? [] });
    });
  }
  return Object.entries(asRecord(written) ?? {}).flatMap(([name, value]) => {
    const tables: unknown[] = Array.isArray(value) ? value : [value];
    const extras = tables.flatMap((table) => asTexts(memberOf(table, 'extras')) ?? []);
    // What only an extra brings in is named by that extra too.
    return tables.every((table) => memberOf(table, 'optional') === true)
      ? []
      : locationsFor({ name: normalName(name), extras });
  });
}

export function locationsFor(requirement: Pick<Requirement, 'name' | 'extras'> | null): string[] {
  const name = requirement?.name ?? null;
  if (name === null || requirement === null) return [];
  return [name, ...requirement.extras.map((extra) => `${name}[${normalName(extra)}]`)];
}

function readPipfileLock(path: string, text: string): PythonLock {
  const root = parseJsonObject(text);
  if (root === null) return { kind: 'unreadable', path, reason: 'it is not a JSON object' };
  const packages = ['default', 'develop'].flatMap((section) =>
    Object.entries(asRecord(memberOf(root, section)) ?? {}).map(([name, entry]): [string, LockedDistribution] => [
      normalName(name),
      { identity: sortedText(entry), next: [] },
    ]),
  );
  return { kind: 'read', path, packages: new Map(packages) };
}

/**
 * Everything that a unit gets from outside, by name: what its own entry and its manifest name, through all levels. At
 * units of the repository it stops: those have closures of their own.
 */
export function closureOf(
  { packages }: Extract<PythonLock, { kind: 'read' }>,
  own: string | null,
  declared: readonly string[],
  units: ReadonlySet<string>,
): Map<string, string> {
  const ofOwn =
    own === null ? [] : [...packages.keys()].filter((location) => location === own || location.startsWith(`${own}[`));
  const bare = (location: string): string => location.replace(/\[.*$/u, '');
  const isUnit = (location: string): boolean => units.has(bare(location)) || bare(location) === own;
  const start = [...declared, ...ofOwn.flatMap((location) => packages.get(location)?.next ?? [])];
  const found = reachable(
    start.filter((location) => !isUnit(location)),
    (location) => (packages.get(location)?.next ?? []).filter((next) => !isUnit(next)),
  );
  const names = [...new Set([...found].map(bare))].sort(byText);
  return new Map(
    names.map((name) => [packages.has(name) ? name : `(missing) ${name}`, packages.get(name)?.identity ?? 'missing']),
  );
}
