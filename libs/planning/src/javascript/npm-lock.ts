import { asRecord, asText, memberOf, sortedText, textMembers, type ParsedRecord } from '../parsed-values.ts';
import { byText, folderOf } from '../tree-paths.ts';
import { reachable, type Lock } from './external-packages.ts';
import { parseJsonObject } from './package-manifest.ts';

/** Reads `package-lock.json` or `npm-shrinkwrap.json`, versions 2 and 3: those that list packages by location. */
export function readNpmLock(path: string, text: string | undefined): Lock {
  if (text === undefined) return unreadable(path, 'it is too large or not text');
  const root = parseJsonObject(text);
  if (root === null) return unreadable(path, 'it is not a JSON object');
  const version = memberOf(root, 'lockfileVersion');
  const packages = asRecord(memberOf(root, 'packages'));
  if ((version !== 2 && version !== 3) || packages === null) {
    return unreadable(path, `lockfile version ${String(version)} is not one that lists packages by location (2 or 3)`);
  }
  const identities = new Map<string, string>();
  const identity = (location: string): string => {
    const known = identities.get(location) ?? identityOf(packages, location);
    identities.set(location, known);
    return known;
  };
  return {
    kind: 'read',
    path,
    hosts: hostsOf(packages),
    closureOf: (folder, declared) => closureOf({ packages, identity }, folder, declared),
  };
}

function unreadable(path: string, reason: string): Lock {
  return { kind: 'unreadable', path, reason };
}

const DEPENDENCY_MEMBERS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;

interface LockedPackages {
  readonly packages: ParsedRecord;
  readonly identity: (location: string) => string;
}

function closureOf(
  { packages, identity }: LockedPackages,
  folder: string,
  declared: readonly { readonly name: string }[],
): Map<string, string> {
  const own = folder === '.' ? '' : folder;
  const names = new Set([...declared.map((each) => each.name), ...dependencyNames(packages, own)]);
  const direct = [...names].map((name) => resolveFrom(packages, own, name));
  const locations = reachable(direct, (location) => furtherFrom(packages, location));
  const identities = [...locations].sort(byText).map((at): [string, string] => [at, identity(at)]);
  return new Map([...identities, [`(${own})`, declarationsOf(packages, own)]]);
}

function dependencyNames(packages: ParsedRecord, location: string): string[] {
  const entry = memberOf(packages, location);
  return DEPENDENCY_MEMBERS.flatMap((member) => textMembers(memberOf(entry, member)).map(([name]) => name));
}

/** Links lead to packages of the repository: those are units of their own, with closures of their own. */
function furtherFrom(packages: ParsedRecord, location: string): string[] {
  const entry = asRecord(memberOf(packages, location));
  if (entry === null || entry['link'] === true) return [];
  return dependencyNames(packages, location).map((name) => resolveFrom(packages, location, name));
}

/** As Node resolves: the nearest `node_modules` upwards. A name found nowhere stands for itself, as missing. */
function resolveFrom(packages: ParsedRecord, location: string, name: string): string {
  for (let at = location; ; at = folderOf(at) === '.' ? '' : folderOf(at)) {
    const candidate = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (Object.hasOwn(packages, candidate)) return candidate;
    if (at === '') return `(missing) ${name}`;
  }
}

function identityOf(packages: ParsedRecord, location: string): string {
  const entry = asRecord(memberOf(packages, location));
  return entry === null ? 'missing' : sortedText({ ...entry, peer: undefined, dev: undefined, optional: undefined });
}

/** What the lockfile says a package of the repository declares: `npm ci` refuses to run when that differs from the manifest. */
function declarationsOf(packages: ParsedRecord, own: string): string {
  const entry = memberOf(packages, own);
  return sortedText(DEPENDENCY_MEMBERS.map((member) => memberOf(entry, member) ?? null));
}

function hostsOf(packages: ParsedRecord): string[] {
  const hosts = new Set<string>();
  for (const entry of Object.values(packages)) {
    const host = hostOf(asText(memberOf(entry, 'resolved')) ?? '');
    if (host !== null) hosts.add(host);
  }
  return [...hosts].sort(byText);
}

/** The host of `https://host/…`, `git+ssh://git@host/…`; null for what is not an address. */
function hostOf(address: string): string | null {
  return (
    /^[a-z+]+:\/\/(?:[^/@\s]*@)?([A-Za-z0-9.-]{1,253})(?::\d+)?(?:\/|$)/u.exec(address)?.[1]?.toLowerCase() ?? null
  );
}
