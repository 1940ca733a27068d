import type { DeclaredDependency } from './package-manifest.ts';

/** A lockfile, read: what each package of the workspace gets, or why that cannot be said. */
export type Lock =
  | {
      readonly kind: 'read';
      readonly path: string;
      /** Location to identity of every external package reachable from the declarations of the package in `folder`. */
      readonly closureOf: (folder: string, declared: readonly DeclaredDependency[]) => ReadonlyMap<string, string>;
      /** Hosts that packages are downloaded from, where the lockfile says so. */
      readonly hosts: readonly string[];
    }
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string }
  | { readonly kind: 'none' };

/** Everything reachable from `start`, by names of locations. */
export function reachable(start: Iterable<string>, next: (location: string) => Iterable<string>): Set<string> {
  const seen = new Set(start);
  // A set is iterated in order of insertion, and what is added on the way is visited too.
  for (const location of seen) for (const further of next(location)) seen.add(further);
  return seen;
}
