import type { Repository } from '@delta-ci/contracts';

/** A repository that nobody can clone; a spec that clones gives it a `cloneUrl`. */
export function aRepository(over: Partial<Repository> = {}): Repository {
  return {
    id: 'github/demo/shop',
    forge: 'github',
    fullName: 'demo/shop',
    cloneUrl: 'https://forge.test/demo/shop.git',
    defaultBranch: 'main',
    ...over,
  };
}
