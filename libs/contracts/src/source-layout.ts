/**
 * Where a job's source keeps what its commit refers to and does not hold, below the source's directory. Whoever fetches
 * writes it, the checkout inside the sandbox reads it. No path in it has a control character.
 */
export const SOURCE_LAYOUT = {
  /** One line for each submodule, outer ones first: depth from 1, commit, its repository's directory, path from the root. */
  submodules: 'submodules',
  /** In every repository that was looked through: digest and path from its root of each file of Git LFS. */
  lfsFiles: 'lfs-files',
  /** Objects of Git LFS, as files by their digests. */
  lfsObjects: 'lfs',
  /** Archives of caches to be restored, as files that the runner names. */
  caches: 'caches',
} as const;
