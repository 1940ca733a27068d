import type { DeclaredDependency } from './package-manifest.ts';

/**
 * A lockfile as a graph of external packages. A location is wherever the lockfile keeps a package: a folder of
 * `node_modules`, or a name with a version or range. What cannot be found has a location too, that says so.
 */
export interface PackageGraph {
  /** Where the dependencies of the package in `folder` are found, by the names it asks for them; packages of the repository left out. */
  readonly direct: (folder: string, declared: readonly DeclaredDependency[]) => ReadonlyMap<string, readonly string[]>;
  /** What a package at a location asks for in turn. */
  readonly next: (location: string) => readonly string[];
  /** Version, integrity and whatever else makes a package what it is, as comparable text. */
  readonly identity: (location: string) => string;
  /** Names of the commands that a package brings; null when the lockfile does not say. */
  readonly binaries: (location: string) => readonly string[] | null;
  /** What the lockfile notes of the declarations of the package in `folder`, as comparable text. */
  readonly declarations: (folder: string) => string;
  /** Whether the lockfile was written for these declarations of the package in `folder`. */
  readonly inStep: (folder: string, declared: readonly DeclaredDependency[]) => boolean;
  /** What concerns every package alike when it changes, as comparable text. */
  readonly settings: string;
  /** Ranges that the workspace names once for all, with what they resolved to; null when the lockfile notes none. */
  readonly catalogs: unknown;
  /** Hosts that packages are downloaded from, where the lockfile says so. */
  readonly hosts: readonly string[];
}

/** Everything reachable from `start`, by names of locations. */
export function reachable(start: Iterable<string>, next: (location: string) => Iterable<string>): Set<string> {
  const seen = new Set(start);
  // A set is iterated in order of insertion, and what is added on the way is visited too.
  for (const location of seen) for (const further of next(location)) seen.add(further);
  return seen;
}

/** Asked once for each key. */
export function remembered<T>(answer: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    const earlier = known.get(key);
    if (earlier !== undefined) return earlier;
    const now = answer(key);
    known.set(key, now);
    return now;
  };
}

/** Location of what a lockfile should have and has not. */
export function missing(what: string): string {
  return `(missing) ${what}`;
}

/** Identity of what a lockfile should have and has not. */
export const MISSING = 'missing';

/** The host of `https://host/…`, `git+ssh://git@host/…`; null for what is not an address. */
export function hostOf(address: string): string | null {
  return (
    /^[a-z+]+:\/\/(?:[^/@\s]*@)?([A-Za-z0-9.-]{1,253})(?::\d+)?(?:\/|$)/u.exec(address)?.[1]?.toLowerCase() ?? null
  );
}

/** Whether what a lockfile notes as declared is what the manifest declares; peers apart, which not every manager notes. */
export function sameDeclarations(noted: ReadonlyMap<string, string>, declared: readonly DeclaredDependency[]): boolean {
  const asked = new Map(declared.filter(({ kind }) => kind !== 'peer').map(({ name, range }) => [name, range]));
  return asked.size === noted.size && [...asked].every(([name, range]) => noted.get(name) === range);
}
