import { reachable } from '../javascript/locked-packages.ts';
import { asRecord, asText, asTexts, memberOf, type ParsedRecord } from '../parsed-values.ts';
import { parseToml } from '../toml-text.ts';
import { byText } from '../tree-paths.ts';

/** A `Cargo.lock`, read. */
export type CargoLock =
  | { readonly kind: 'read'; readonly path: string; readonly packages: ReadonlyMap<string, readonly LockedPackage[]> }
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string }
  | { readonly kind: 'none' };

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Registry or repository it is downloaded from; null for packages that lie on the disk. */
  readonly source: string | null;
  readonly checksum: string | null;
  /** `name`, `name version` or `name version (source)`: as much as it takes to tell it from others. */
  readonly dependencies: readonly string[];
}

/** Reads all versions of the format: the first keeps checksums apart, in `metadata`. */
export function readCargoLock(path: string, content: string | undefined): CargoLock {
  const unreadable = (reason: string): CargoLock => ({ kind: 'unreadable', path, reason });
  if (content === undefined) return unreadable('it is too large or not text');
  const text = parseToml(content);
  if (text === null) return unreadable('it is not TOML');
  const version = memberOf(text, 'version');
  if (version !== undefined && (typeof version !== 'number' || version > 4)) {
    return unreadable(`version ${JSON.stringify(version)} is not one that is known (up to 4)`);
  }
  const found = memberOf(text, 'package');
  if (found !== undefined && !Array.isArray(found)) return unreadable('it has no list of packages');
  const root: unknown[] = [memberOf(text, 'root')].filter((each) => each !== undefined);
  const entries = root.concat(found ?? []);
  const packages = new Map<string, LockedPackage[]>();
  for (const entry of entries) {
    const locked = lockedPackage(entry, memberOf(text, 'metadata'));
    if (locked === null) return unreadable('one of its packages has no name or no version');
    const known = packages.get(locked.name);
    if (known === undefined) packages.set(locked.name, [locked]);
    else known.push(locked);
  }
  return { kind: 'read', path, packages };
}

function lockedPackage(entry: unknown, metadata: unknown): LockedPackage | null {
  const record: ParsedRecord = asRecord(entry) ?? {};
  const [name, version] = [asText(record['name']), asText(record['version'])];
  if (name === null || version === null) return null;
  const source = asText(record['source']);
  const checksum =
    asText(record['checksum']) ?? asText(memberOf(metadata, `checksum ${name} ${version} (${source ?? ''})`));
  return { name, version, source, checksum, dependencies: asTexts(record['dependencies']) ?? [] };
}

/** What a package of the repository gets: packages from outside, and packages of the repository met on the way. */
export interface CargoClosure {
  readonly external: ReadonlyMap<string, string>;
  /** Names of members that stand in for packages which others from outside ask for. */
  readonly members: readonly { readonly name: string; readonly askedBy: string }[];
}

/**
 * Everything reachable from a package. At members of its workspace it stops: those have closures of their own.
 * @param members names of packages that are units of the same workspace
 */
export function closureOf(
  lock: Extract<CargoLock, { kind: 'read' }>,
  own: { readonly name: string; readonly version: string | null },
  members: ReadonlySet<string>,
): CargoClosure {
  const start = ownEntry(lock, own);
  if (start === undefined) return { external: new Map([[`(missing) ${own.name}`, 'missing']]), members: [] };
  const known = new Map<string, LockedPackage>([[keyOf(start), start]]);
  const missing = new Set<string>();
  const met: { name: string; askedBy: string }[] = [];
  const next = (key: string): string[] => {
    const at = known.get(key);
    return (at?.dependencies ?? []).flatMap((reference) => {
      const found = resolve(lock, reference);
      if (found.length === 0) missing.add(reference);
      return found.flatMap((each) => {
        if (each.source === null && members.has(each.name)) {
          if (at !== undefined && at !== start) met.push({ name: each.name, askedBy: at.name });
          return [];
        }
        known.set(keyOf(each), each);
        return [keyOf(each)];
      });
    });
  };
  const locations = [...reachable([keyOf(start)], next)].filter((key) => key !== keyOf(start)).sort(byText);
  const external = locations.map((key): [string, string] => [key, identityOf(known.get(key))]);
  const absent = [...missing].sort(byText).map((reference): [string, string] => [`(missing) ${reference}`, 'missing']);
  return { external: new Map([...external, ...absent]), members: met };
}

/** Version that the lockfile has noted for a package of the repository; null when it has none. */
export function lockedVersionOf(
  lock: CargoLock,
  own: { readonly name: string; readonly version: string | null },
): string | null {
  return lock.kind === 'read' ? (ownEntry(lock, own)?.version ?? null) : null;
}

function ownEntry(
  { packages }: Extract<CargoLock, { kind: 'read' }>,
  { name, version }: { readonly name: string; readonly version: string | null },
): LockedPackage | undefined {
  const local = (packages.get(name) ?? []).filter(({ source }) => source === null);
  return local.find((each) => each.version === version) ?? local[0];
}

/** Every package that a reference can mean: one, in a lockfile that cargo wrote. References leave out commits. */
function resolve({ packages }: Extract<CargoLock, { kind: 'read' }>, reference: string): readonly LockedPackage[] {
  const [name = '', version, source] = reference.split(' ');
  return (packages.get(name) ?? []).filter(
    (each) =>
      (version === undefined || each.version === version) &&
      (source === undefined || withoutCommit(`(${each.source ?? ''})`) === withoutCommit(source)),
  );
}

const withoutCommit = (source: string): string => source.replace(/[#)].*$/u, '');

const CRATES_IO = 'registry+https://github.com/rust-lang/crates.io-index';

function keyOf({ name, version, source }: LockedPackage): string {
  return source === CRATES_IO ? `${name} ${version}` : `${name} ${version} (${source ?? 'path'})`;
}

function identityOf(found: LockedPackage | undefined): string {
  return found === undefined ? 'missing' : `${found.source ?? 'path'} ${found.checksum ?? ''}`.trimEnd();
}
