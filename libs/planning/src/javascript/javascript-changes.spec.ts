import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { discover } from '../discover.ts';
import { inputsFor, keysOf, planned, type Files } from '../planned-repository.fixture.ts';

/** What changes reach in the trees that lie with the detectors. */
function treeOf(name: string): Files {
  return filesOfTree(readFileSync(new URL(`../detectors/trees/${name}.tree.txt`, import.meta.url), 'utf8'));
}

/** Jobs after one text took the place of another in a file, which is there from then on if it was not before. */
function jobsAfter(name: string, path: string, from: string | RegExp = /$/u, to = '\n'): string[] {
  const before = treeOf(name);
  const text = before[path] ?? '';
  const edited = text.replace(from, to);
  expect(edited).not.toBe(text);
  return keysOf(planned(before, { ...before, [path]: edited }).jobs);
}

describe('changes in a workspace of Nx', () => {
  const SHOP = ['build-apps-shop', 'test-apps-shop'];

  it.each([
    ['a test, then the tests of its project alone', 'apps/shop/src/main.spec.ts', ['test-apps-shop']],
    ['a source, then its project', 'apps/shop/src/main.ts', SHOP],
    ['a source that another project imports, then that too', 'libs/data/src/index.ts', [...SHOP, 'test-libs-data']],
    ['an implicit dependency, then who names it', 'libs/assets/logo.svg', SHOP],
    [
      'the project that one excludes, then not by what that imports',
      'libs/ui/src/button.ts',
      ['lint-libs-ui', 'test-libs-data', ...SHOP],
    ],
    [
      'a file of the workspace that inputs name, then who reads it',
      'babel.config.json',
      [...SHOP, 'lint-libs-ui', 'test-libs-data'],
    ],
  ])('given %s', (_what, path, jobs) => {
    expect(jobsAfter('nx-integrated', path)).toEqual(jobs.toSorted());
  });

  it('given a package that one project imports, then that one', () => {
    const bumped = jobsAfter(
      'nx-integrated',
      'package-lock.json',
      /"node_modules\/left": \{ "version": "1.0.0"/u,
      '"node_modules/left": { "version": "1.0.1"',
    );
    expect(bumped).toEqual(SHOP);
  });

  it('given a source that cannot be read, then its project notices whatever other projects change', () => {
    const before = inputsFor(null, treeOf('nx-integrated')).head;
    const withoutText = new Map([...before.contents].filter(([path]) => path !== 'apps/shop/src/main.ts'));
    const shop = discover({ ...before, contents: withoutText }).units.find(({ id }) => id === 'apps/shop');
    expect(shop?.inputs).toContainEqual(
      expect.objectContaining({ paths: expect.arrayContaining(['libs/ui/**']), kinds: 'all' }),
    );
  });

  it('given settings written otherwise that say the same, then nothing', () => {
    expect(jobsAfter('nx-integrated', 'nx.json', /$/u, '// more\n')).toEqual([]);
    expect(jobsAfter('nx-integrated', 'nx.json', '"@nx/eslint/plugin", ', '')).toContain('test-libs-data');
  });
});

describe('changes in a workspace of Turborepo', () => {
  it.each([
    ['what a build reads', 'apps/web/src/main.ts', ['build-apps-web', 'lint-apps-web', 'test-apps-web']],
    ['a test, which no build reads', 'apps/web/src/main.test.ts', ['lint-apps-web', 'test-apps-web']],
    ['what a build reads from the root', 'assets/logo.svg', ['build-apps-web', 'lint-apps-web', 'test-apps-web']],
    [
      'what concerns everything',
      '.env',
      ['build-apps-web', 'build-packages-ui', 'lint-apps-web', 'lint-packages-db', 'test-apps-web', 'test-packages-ui'],
    ],
    [
      'a package whose task another needs',
      'packages/db/schema.prisma',
      ['build-apps-web', 'lint-apps-web', 'lint-packages-db', 'test-apps-web'],
    ],
  ])('given %s, then who reads it', (_what, path, jobs) => {
    expect(jobsAfter('turbo-tasks', path)).toEqual(jobs);
  });

  it('given a task of one package in other words, then that package', () => {
    expect(jobsAfter('turbo-tasks', 'turbo.json', '"DATABASE_URL"', '"DATABASE"')).toEqual([
      'build-apps-web',
      'lint-apps-web',
      'test-apps-web',
    ]);
    expect(jobsAfter('turbo-tasks', 'turbo.json', '"tasks"', '/* all */ "tasks"')).toEqual([]);
  });
});

describe('changes of a workspace of pnpm', () => {
  const A = ['test-packages-a'];
  const BOTH = ['build-packages-b', 'test-packages-a'];

  it('given another version by a catalog, then the packages that asked this catalog', () => {
    const before = treeOf('pnpm-catalogs');
    const after: Files = {
      ...before,
      'pnpm-workspace.yaml': (before['pnpm-workspace.yaml'] ?? '').replace('left: ^1.0.0', 'left: ^1.1.0'),
      'pnpm-lock.yaml': (before['pnpm-lock.yaml'] ?? '')
        .replace('specifier: ^1.0.0, version: 1.0.0', 'specifier: ^1.1.0, version: 1.1.0')
        .replaceAll('left@1.0.0', 'left@1.1.0')
        .replace("'catalog:', version: 1.0.0", "'catalog:', version: 1.1.0"),
    };
    expect(keysOf(planned(before, after).jobs)).toEqual(A);
  });

  it('given a catalog that the lockfile was not written for, or another override, then all', () => {
    expect(jobsAfter('pnpm-catalogs', 'pnpm-workspace.yaml', 'left: ^1.0.0', 'left: ^1.1.0')).toEqual(BOTH);
    expect(jobsAfter('pnpm-catalogs', 'pnpm-workspace.yaml', 'deep: 2.0.0', 'deep: 3.0.0')).toEqual(BOTH);
  });

  it('given a remark, then none', () => {
    expect(jobsAfter('pnpm-catalogs', 'pnpm-workspace.yaml', /^/u, '# members\n')).toEqual([]);
  });
});

describe('settings of TypeScript', () => {
  it('given a file that another package extends, then that package', () => {
    expect(jobsAfter('yarn-berry-aliases', 'packages/tools/strict.json')).toEqual(['test-packages-web']);
  });

  it('given a package that another compiles against by its references or paths, then that too', () => {
    expect(jobsAfter('yarn-berry-aliases', 'packages/core/src/index.ts')).toContain('test-packages-web');
    expect(jobsAfter('yarn-berry-aliases', 'packages/tools/src/index.ts')).toEqual(['test-packages-web']);
  });
});

describe('a dependency that is asked for under a published name', () => {
  const manifest = (name: string, dependencies: Files = {}): string =>
    JSON.stringify({ name: `@all/${name}`, scripts: { test: 'node --test' }, dependencies });
  const reachedBy = (range: string): string[] => {
    const files: Files = {
      'package.json': JSON.stringify({ private: true, packageManager: 'pnpm@9.12.2' }),
      'pnpm-workspace.yaml': 'packages: [packages/*]\n',
      'packages/money/package.json': manifest('money'),
      'packages/money/index.js': 'export const cents = 1;\n',
      'packages/cart/package.json': manifest('cart', { coins: range }),
    };
    return keysOf(planned(files, { ...files, 'packages/money/index.js': 'export const cents = 2;\n' }).jobs);
  };

  it.each(['npm:@all/money', 'npm:@all/money@^1.0.0', 'npm:@all/money@latest'])(
    'given %s, which a package manager may serve with the member of that name, then who asks for it notices',
    (range) => expect(reachedBy(range)).toEqual(['test-packages-cart', 'test-packages-money']),
  );

  it.each(['npm:@all/moneybag@^1.0.0', 'npm:^1.0.0', '^1.0.0'])('given %s, then not', (range) =>
    expect(reachedBy(range)).toEqual(['test-packages-money']),
  );
});
