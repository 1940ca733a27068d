import { closureDifference } from '../impact/closure-difference.ts';
import { packagesOf } from './closures.ts';
import type { Lock, LockSource } from './lock-source.ts';
import type { PackageGraph } from './locked-packages.ts';
import type { DeclaredDependency } from './package-manifest.ts';

/** Lockfiles as the reader of one kind sees them, at the root of a repository. */
export interface LockReading {
  readonly read: (source: LockSource) => Lock;
  readonly path: string;
  /** Folders and names of the repository's own packages. */
  readonly own?: Readonly<Record<string, string>>;
}

export function lockOf({ read, path, own = {} }: LockReading, text: string | undefined): Lock {
  return read({ path, workspace: '.', text, roots: new Set(Object.keys(own)), names: new Set(Object.values(own)) });
}

export function graphOf(reading: LockReading, text: string): PackageGraph {
  const lock = lockOf(reading, text);
  if (lock.kind !== 'read') throw new Error(`not read: ${JSON.stringify(lock)}`);
  return lock.graph;
}

export function asked(ranges: Readonly<Record<string, string>>): DeclaredDependency[] {
  return Object.entries(ranges).map(([name, range]) => ({ name, range, kind: 'production' }));
}

/** Locations of everything that the package in `folder` gets from outside. */
export function locationsOf(reading: LockReading, text: string, folder: string, ranges = {}): string[] {
  const locations = [...packagesOf(graphOf(reading, text), folder, asked(ranges)).keys()];
  return locations.filter((location) => !location.startsWith('(') || location.startsWith('(missing)')).sort();
}

/** What people are told differs for the package in `folder`; null when nothing does. */
export function difference(
  reading: LockReading,
  [before, after]: readonly [string, string],
  folder: string,
  ranges = {},
): string | null {
  const closure = (text: string): Parameters<typeof closureDifference>[0] => ({
    kind: 'resolved',
    lockfile: reading.path,
    packages: packagesOf(graphOf(reading, text), folder, asked(ranges)),
  });
  return closureDifference(closure(before), closure(after));
}
