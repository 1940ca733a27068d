import fc from 'fast-check';
import type { Files } from './planned-repository.fixture.ts';
import { json } from './shop.fixture.ts';

/** Random npm workspaces: packages with scripts, sources and dependencies upon each other, in circles too. */

export interface Monorepo {
  readonly files: Files;
  /** Roots of packages. */
  readonly roots: readonly string[];
  /** Pairs of roots: the first depends on the second. */
  readonly edges: readonly (readonly [string, string])[];
}

const NAMES = ['api', 'billing', 'cart', 'docs-site', 'edge', 'forms', 'graph', 'http'];

export const anyMonorepo: fc.Arbitrary<Monorepo> = fc
  .record({
    count: fc.integer({ min: 1, max: NAMES.length }),
    links: fc.array(fc.tuple(fc.nat(NAMES.length - 1), fc.nat(NAMES.length - 1)), { maxLength: 12 }),
    nested: fc.boolean(),
    locked: fc.boolean(),
  })
  .map(({ count, links, nested, locked }) => monorepoOf(count, links, nested, locked));

export function monorepoOf(
  count: number,
  links: readonly (readonly [number, number])[],
  nested = false,
  locked = false,
): Monorepo {
  const names = NAMES.slice(0, count);
  const rootOf = (name: string): string => (nested ? `packages/group/${name}` : `packages/${name}`);
  const edges = links
    .filter(([from, to]) => from < count && to < count && from !== to)
    .map(([from, to]) => [rootOf(names[from] ?? ''), rootOf(names[to] ?? '')] as const);
  const files: Record<string, string> = {
    'package.json': json({ name: 'all', private: true, workspaces: ['packages/**'] }),
    ...(locked ? { 'package-lock.json': json({ lockfileVersion: 3, packages: {} }) } : {}),
  };
  for (const name of names) {
    const root = rootOf(name);
    const dependencies = Object.fromEntries(
      edges.filter(([from]) => from === root).map(([, to]) => [`@all/${to.split('/').at(-1) ?? ''}`, '*']),
    );
    files[`${root}/package.json`] = json({
      name: `@all/${name}`,
      scripts: { test: 'node --test', lint: 'eslint .' },
      dependencies,
    });
    files[`${root}/src/index.js`] = `export const name = '${name}';\n`;
    files[`${root}/src/deep/more.ts`] = 'export {};\n';
  }
  return { files, roots: names.map(rootOf), edges };
}

/** Every root from which `changed` can be reached along edges, itself included. */
export function dependentsOf(changed: string, edges: Monorepo['edges']): Set<string> {
  const found = new Set([changed]);
  for (const root of found) for (const [from, to] of edges) if (to === root) found.add(from);
  return found;
}
