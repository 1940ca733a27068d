import { load } from 'js-yaml';
import { asRecord, asText, memberOf, sortedText, textMembers, type ParsedRecord } from '../parsed-values.ts';
import { relativeTo } from '../tree-paths.ts';
import { unreadable, type Lock, type LockSource } from './lock-source.ts';
import { MISSING, missing, remembered, sameDeclarations, type PackageGraph } from './locked-packages.ts';
import type { DeclaredDependency } from './package-manifest.ts';
import { nameOfPattern } from './yarn-classic-lock.ts';

/** What `__metadata` says in files of Yarn 2 to 4. */
const OLDEST = 4;
const NEWEST = 10;

/** Reads a `yarn.lock` of Yarn 2 and newer: YAML, with the packages of the repository among the others. */
export function readYarnBerryLock(source: LockSource, text: string): Lock {
  const root = parse(text);
  if (typeof root === 'string') return unreadable(source, root);
  const metadata = memberOf(root, '__metadata');
  const version = Number(memberOf(metadata, 'version'));
  if (!(version >= OLDEST && version <= NEWEST)) {
    return unreadable(source, `its version is not one of ${OLDEST} to ${NEWEST}`);
  }
  return { kind: 'read', path: source.path, graph: graphOf(source, lockedPackages(root), sortedText(metadata)) };
}

function parse(text: string): ParsedRecord | string {
  try {
    // Yarn writes no aliases; a stranger's file could multiply itself with them.
    return asRecord(load(text, { maxAliases: 0 })) ?? 'it is no mapping';
  } catch (error) {
    return `it is not YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unknown reason'}`;
  }
}

interface LockedPackages {
  /** Entries by each of the descriptors that resolve to them. */
  readonly entries: ReadonlyMap<string, ParsedRecord>;
  /** Descriptors by the name they ask for. */
  readonly byName: ReadonlyMap<string, readonly string[]>;
  /** Entries of packages of the repository, by their folders from the workspace's root. */
  readonly workspaces: ReadonlyMap<string, ParsedRecord>;
}

function lockedPackages(root: ParsedRecord): LockedPackages {
  const entries = new Map<string, ParsedRecord>();
  const byName = new Map<string, string[]>();
  const workspaces = new Map<string, ParsedRecord>();
  for (const [key, value] of Object.entries(root)) {
    const entry = asRecord(value);
    if (key === '__metadata' || entry === null) continue;
    const folder = /@workspace:(.+)$/u.exec(asText(entry['resolution']) ?? '')?.[1];
    if (folder !== undefined) workspaces.set(folder, entry);
    for (const descriptor of key.split(', ')) {
      entries.set(descriptor, entry);
      const name = nameOfPattern(descriptor);
      const known = byName.get(name);
      if (known === undefined) byName.set(name, [descriptor]);
      else known.push(descriptor);
    }
  }
  return { entries, byName, workspaces };
}

function graphOf(source: LockSource, packages: LockedPackages, settings: string): PackageGraph {
  const workspaceOf = (folder: string): ParsedRecord | undefined =>
    packages.workspaces.get(relativeTo(source.workspace, folder));
  return {
    direct: (folder, declared) => directOf(packages, workspaceOf(folder), declared),
    next: remembered((descriptor) => furtherFrom(packages, descriptor)),
    identity: remembered((descriptor) => {
      const entry = packages.entries.get(descriptor);
      return entry === undefined ? MISSING : sortedText(entry);
    }),
    binaries: (descriptor) => textMembers(memberOf(packages.entries.get(descriptor), 'bin')).map(([name]) => name),
    declarations: (folder) => sortedText(memberOf(workspaceOf(folder), 'dependencies') ?? null),
    inStep: (folder, declared) => inStep(workspaceOf(folder), declared),
    settings,
    catalogs: null,
    hosts: [],
  };
}

function directOf(
  packages: LockedPackages,
  workspace: ParsedRecord | undefined,
  declared: readonly DeclaredDependency[],
): Map<string, readonly string[]> {
  const noted = textMembers(memberOf(workspace, 'dependencies'));
  // Peers of a package of the repository come from whoever uses it; what it tests itself with it declares otherwise too.
  const names = new Map([...declared.map(({ name, range }) => [name, range] as const), ...noted]);
  return new Map([...names].map(([name, range]) => [name, found(packages, name, range)]));
}

function furtherFrom(packages: LockedPackages, descriptor: string): string[] {
  const entry = packages.entries.get(descriptor);
  const asked = textMembers(memberOf(entry, 'dependencies'));
  // Which of several a peer is depends on who asks: any of that name.
  const peers = textMembers(memberOf(entry, 'peerDependencies')).flatMap(([name]) => external(packages, name));
  return [...asked.flatMap(([name, range]) => found(packages, name, range)), ...peers];
}

/** What a range of a name resolves to, and its patched form where there is one; nothing for packages of the repository. */
function found(packages: LockedPackages, name: string, range: string): readonly string[] {
  const descriptor = `${name}@${range}`;
  const exact = [descriptor, `${name}@npm:${range}`].find((each) => packages.entries.has(each));
  if (exact === undefined) {
    // A resolution of the workspace's root took its place: any of that name.
    const others = external(packages, name);
    return others.length > 0 || packages.byName.has(name) ? others : [missing(descriptor)];
  }
  const patched = (packages.byName.get(name) ?? []).filter((each) => each.startsWith(`${name}@patch:`));
  return [exact, ...patched].filter((each) => !isOwn(packages, each));
}

function external(packages: LockedPackages, name: string): string[] {
  return (packages.byName.get(name) ?? []).filter((each) => !isOwn(packages, each));
}

/** Packages of the repository are linked, and have closures of their own; what a portal leads to may be none of them. */
function isOwn({ entries }: LockedPackages, descriptor: string): boolean {
  return memberOf(entries.get(descriptor), 'linkType') === 'soft' && !descriptor.includes('@portal:');
}

/** Newer versions note ranges with their protocol, which manifests leave out. */
function inStep(workspace: ParsedRecord | undefined, declared: readonly DeclaredDependency[]): boolean {
  const noted = textMembers(memberOf(workspace, 'dependencies'));
  const plain = noted.map(([name, range]): [string, string] => [name, withoutProtocol(range)]);
  return sameDeclarations(
    new Map(plain),
    declared.map((each) => ({ ...each, range: withoutProtocol(each.range) })),
  );
}

function withoutProtocol(range: string): string {
  return range.startsWith('npm:') ? range.slice('npm:'.length) : range;
}
