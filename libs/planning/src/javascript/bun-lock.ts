import { asRecord, asText, memberOf, sortedText, textMembers, type ParsedRecord } from '../parsed-values.ts';
import { byText, relativeTo } from '../tree-paths.ts';
import { DEPENDENCY_MEMBERS, NOT_TEXT, unreadable, type Lock, type LockSource } from './lock-source.ts';
import { MISSING, hostOf, missing, remembered, sameDeclarations, type PackageGraph } from './locked-packages.ts';
import { parseJsonWithComments } from './json-with-comments.ts';

/** Stand with each package already: what they chose, or the hash of a patch, shows in what is installed. */
const NOT_GLOBAL = new Set(['workspaces', 'packages', 'catalog', 'catalogs', 'lockfileVersion']);

/** Reads `bun.lock`, which is JSON with trailing commas. The older `bun.lockb` is binary and read by nobody but Bun. */
export function readBunLock(source: LockSource): Lock {
  if (source.path.endsWith('.lockb')) {
    return unreadable(source, 'it is binary; `bun install --save-text-lockfile` writes one that is read here');
  }
  if (source.text === undefined) return unreadable(source, NOT_TEXT);
  const root = asRecord(parseJsonWithComments(source.text));
  if (root === null) return unreadable(source, 'it is not a JSON object');
  const version = memberOf(root, 'lockfileVersion');
  const packages = asRecord(memberOf(root, 'packages'));
  if ((version !== 0 && version !== 1) || packages === null) {
    return unreadable(source, `lockfile version ${String(version).slice(0, 20)} is not one that is read here (0 or 1)`);
  }
  return { kind: 'read', path: source.path, graph: graphOf(source, root, packages) };
}

function graphOf(source: LockSource, root: ParsedRecord, packages: ParsedRecord): PackageGraph {
  const workspaceOf = (folder: string): unknown => {
    const name = relativeTo(source.workspace, folder);
    return memberOf(memberOf(root, 'workspaces'), name === '.' ? '' : name);
  };
  return {
    direct: (folder, declared) => {
      const workspace = workspaceOf(folder);
      const own = folder === source.workspace ? '' : (asText(memberOf(workspace, 'name')) ?? '');
      const names = new Set([...declared.map(({ name }) => name), ...dependencyNames(workspace)]);
      return new Map([...names].map((name) => [name, resolveFrom(packages, own, name)]));
    },
    next: remembered((key) =>
      dependencyNames(detailsOf(packages, key)).flatMap((name) => resolveFrom(packages, key, name)),
    ),
    identity: remembered((key) => (Object.hasOwn(packages, key) ? sortedText(packages[key]) : MISSING)),
    binaries: (key) => binariesOf(packages, key),
    declarations: (folder) =>
      sortedText(DEPENDENCY_MEMBERS.map((member) => memberOf(workspaceOf(folder), member) ?? null)),
    inStep: (folder, declared) => {
      const noted = DEPENDENCY_MEMBERS.filter((member) => member !== 'peerDependencies');
      const ranges = noted.flatMap((member) => textMembers(memberOf(workspaceOf(folder), member)));
      return sameDeclarations(new Map(ranges), declared);
    },
    settings: sortedText(Object.entries(root).filter(([name]) => !NOT_GLOBAL.has(name))),
    catalogs: null,
    hosts: hostsOf(packages),
  };
}

/** Entries are lists: what was resolved, an address where it is not the registry's, details, integrity. */
function detailsOf(packages: ParsedRecord, key: string): unknown {
  const entry = memberOf(packages, key);
  return Array.isArray(entry) ? entry.find((each) => asRecord(each) !== null) : undefined;
}

function dependencyNames(entry: unknown): string[] {
  return DEPENDENCY_MEMBERS.flatMap((member) => textMembers(memberOf(entry, member)).map(([name]) => name));
}

/** As Node resolves, with names in place of folders: `a/b` is the `b` that only `a` sees. */
function resolveFrom(packages: ParsedRecord, key: string, name: string): string[] {
  const parents = namesOf(key);
  for (let depth = parents.length; depth >= 0; depth -= 1) {
    const candidate = [...parents.slice(0, depth), name].join('/');
    if (Object.hasOwn(packages, candidate)) return isOwn(packages, candidate) ? [] : [candidate];
  }
  return [missing(name)];
}

/** A name with a scope is one. */
function namesOf(key: string): string[] {
  return [...key.matchAll(/(?:@[^/]*\/)?[^/]+/gu)].map(([name]) => name);
}

/** Packages of the repository are linked, and have closures of their own. */
function isOwn(packages: ParsedRecord, key: string): boolean {
  const entry = packages[key];
  return Array.isArray(entry) && /@(?:workspace|link):/u.test(asText(entry[0]) ?? '');
}

function binariesOf(packages: ParsedRecord, key: string): string[] {
  const bin = memberOf(detailsOf(packages, key), 'bin');
  return asText(bin) === null ? textMembers(bin).map(([name]) => name) : [namesOf(key).at(-1)?.split('/').at(-1) ?? ''];
}

function hostsOf(packages: ParsedRecord): string[] {
  const hosts = new Set<string>();
  for (const entry of Object.values(packages)) {
    const host = Array.isArray(entry) ? hostOf(asText(entry[1]) ?? '') : null;
    if (host !== null) hosts.add(host);
  }
  return [...hosts].sort(byText);
}
