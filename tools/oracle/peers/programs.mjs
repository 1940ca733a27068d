// @ts-check
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/**
 * Where the installed tools begin, for `node`. Nx reads configurations of TypeScript through the compiler, which has to be one
 * with a programming interface and lie where Nx finds it.
 *
 * @throws when they are not installed
 */
export function programs() {
  dirname(require.resolve('typescript/package.json'));
  return {
    nx: join(dirname(require.resolve('nx/package.json')), 'dist', 'bin', 'nx.js'),
    turbo: join(dirname(require.resolve('turbo/package.json')), 'bin', 'turbo'),
    pnpm: join(dirname(require.resolve('pnpm')), 'bin', 'pnpm.cjs'),
  };
}
