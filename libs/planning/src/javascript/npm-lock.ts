import { asRecord, asText, memberOf, sortedText, textMembers, type ParsedRecord } from '../parsed-values.ts';
import { byText, folderOf, inFolder, relativeTo, resolvePath } from '../tree-paths.ts';
import { DEPENDENCY_MEMBERS, NOT_TEXT, unreadable, type Lock, type LockSource } from './lock-source.ts';
import { MISSING, hostOf, missing, remembered, sameDeclarations, type PackageGraph } from './locked-packages.ts';
import { nestedPackages } from './npm-lock-one.ts';
import { parseJsonObject, type DeclaredDependency } from './package-manifest.ts';

/**
 * Reads `package-lock.json` or `npm-shrinkwrap.json`: versions 2 and 3, which list packages by location, and version 1,
 * which nests them.
 */
export function readNpmLock(source: LockSource): Lock {
  if (source.text === undefined) return unreadable(source, NOT_TEXT);
  const root = parseJsonObject(source.text);
  if (root === null) return unreadable(source, 'it is not a JSON object');
  const version = memberOf(root, 'lockfileVersion');
  const packages = packagesOf(root, version);
  if (typeof packages === 'string') return unreadable(source, packages);
  return { kind: 'read', path: source.path, graph: graphOf({ ...source, packages, nested: version === 1 }) };
}

function packagesOf(root: ParsedRecord, version: unknown): ParsedRecord | string {
  if (version === 1) return nestedPackages(root) ?? 'it nests packages deeper than any install does';
  const packages = asRecord(memberOf(root, 'packages'));
  if ((version === 2 || version === 3) && packages !== null) return packages;
  return `lockfile version ${String(version).slice(0, 20)} is not one that is read here (1 to 3)`;
}

interface LockedPackages extends LockSource {
  readonly packages: ParsedRecord;
  /** Version 1: the lockfile notes nothing of what manifests declare. */
  readonly nested: boolean;
}

function graphOf(lock: LockedPackages): PackageGraph {
  const { packages, workspace, nested } = lock;
  const own = (folder: string): string => locationOf(workspace, folder);
  return {
    direct: (folder, declared) => directOf(lock, own(folder), declared),
    next: remembered((location) => furtherFrom(lock, location)),
    identity: remembered((location) => identityOf(packages, location)),
    binaries: (location) => (nested ? null : binariesOf(packages, location)),
    declarations: (folder) => declarationsOf(packages, own(folder)),
    inStep: (folder, declared) => nested || sameDeclarations(noted(packages, own(folder)), declared),
    settings: '',
    catalogs: null,
    hosts: hostsOf(packages),
  };
}

/** Folders are named from where the lockfile lies; the empty text is that folder itself. */
function locationOf(workspace: string, folder: string): string {
  const location = relativeTo(workspace, folder);
  return location === '.' ? '' : location;
}

function directOf(
  lock: LockedPackages,
  own: string,
  declared: readonly DeclaredDependency[],
): Map<string, readonly string[]> {
  const names = new Set([...declared.map(({ name }) => name), ...dependencyNames(lock.packages, own)]);
  const found = [...names].map((name): [string, string] => [name, resolveFrom(lock.packages, own, name)]);
  return new Map(found.map(([name, location]) => [name, withoutOwn(lock, location)]));
}

function dependencyNames(packages: ParsedRecord, location: string): string[] {
  const entry = memberOf(packages, location);
  return DEPENDENCY_MEMBERS.flatMap((member) => textMembers(memberOf(entry, member)).map(([name]) => name));
}

function furtherFrom(lock: LockedPackages, location: string): string[] {
  const { packages } = lock;
  const entry = asRecord(memberOf(packages, location));
  if (entry === null) return [];
  const linked = linkedLocation(entry);
  if (linked !== null) return [linked];
  return dependencyNames(packages, location).flatMap((name) => withoutOwn(lock, resolveFrom(packages, location, name)));
}

/** Links lead to packages of the repository: those that are units have closures of their own. */
function withoutOwn({ packages, workspace, roots }: LockedPackages, location: string): string[] {
  const entry = asRecord(memberOf(packages, location));
  const linked = entry === null ? null : linkedLocation(entry);
  const folder = linked === null ? null : resolvePath(workspace, linked);
  return folder !== null && roots.has(folder) ? [] : [location];
}

function linkedLocation(entry: ParsedRecord): string | null {
  return entry['link'] === true ? asText(entry['resolved']) : null;
}

/** As Node resolves: the nearest `node_modules` upwards. A name found nowhere stands for itself, as missing. */
function resolveFrom(packages: ParsedRecord, location: string, name: string): string {
  for (let at = location; ; at = folderOf(at) === '.' ? '' : folderOf(at)) {
    const candidate = inFolder(at === '' ? '.' : at, `node_modules/${name}`);
    if (Object.hasOwn(packages, candidate)) return candidate;
    if (at === '') return missing(name);
  }
}

/** Who else uses a package is no part of what it is. */
const MARKS = new Set(['peer', 'dev', 'optional', 'devOptional', 'extraneous']);

function identityOf(packages: ParsedRecord, location: string): string {
  const entry = asRecord(memberOf(packages, location));
  return entry === null
    ? MISSING
    : sortedText(
        Object.entries(entry)
          .filter(([name]) => !MARKS.has(name))
          .sort(byName),
      );
}

const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number => byText(one, other);

function binariesOf(packages: ParsedRecord, location: string): string[] | null {
  const entry = asRecord(memberOf(packages, location));
  if (entry === null) return null;
  const bin = memberOf(entry, 'bin');
  const single = asText(bin);
  return single === null ? textMembers(bin).map(([name]) => name) : [location.slice(location.lastIndexOf('/') + 1)];
}

/** What the lockfile says a package of the repository declares: `npm ci` refuses to run when that differs from the manifest. */
function declarationsOf(packages: ParsedRecord, own: string): string {
  const entry = memberOf(packages, own);
  return sortedText(DEPENDENCY_MEMBERS.map((member) => memberOf(entry, member) ?? null));
}

function noted(packages: ParsedRecord, own: string): Map<string, string> {
  const entry = memberOf(packages, own);
  const members = DEPENDENCY_MEMBERS.filter((member) => member !== 'peerDependencies');
  return new Map(members.flatMap((member) => textMembers(memberOf(entry, member))));
}

function hostsOf(packages: ParsedRecord): string[] {
  const hosts = new Set<string>();
  for (const entry of Object.values(packages)) {
    const host = hostOf(asText(memberOf(entry, 'resolved')) ?? '');
    if (host !== null) hosts.add(host);
  }
  return [...hosts].sort(byText);
}
