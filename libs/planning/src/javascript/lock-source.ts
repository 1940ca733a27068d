import type { PackageGraph } from './locked-packages.ts';

/** A lockfile, read: what each package of the workspace gets, or why that cannot be said. */
export type Lock =
  | { readonly kind: 'read'; readonly path: string; readonly graph: PackageGraph }
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string }
  | { readonly kind: 'none' };

/** What a reader of lockfiles is given. */
export interface LockSource {
  readonly path: string;
  /** The folder the lockfile lies in. */
  readonly workspace: string;
  /** Undefined when the file is too large or not text. */
  readonly text: string | undefined;
  /** Folders of all packages of the repository: what leads to them is not external. */
  readonly roots: ReadonlySet<string>;
  /** What the packages of the repository are called. */
  readonly names: ReadonlySet<string>;
}

export function unreadable({ path }: Pick<LockSource, 'path'>, reason: string): Lock {
  return { kind: 'unreadable', path, reason };
}

export const NOT_TEXT = 'it is too large or not text';

/** Under which packages are asked for, in manifests and in the lockfiles that repeat these. */
export const DEPENDENCY_MEMBERS = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
] as const;
