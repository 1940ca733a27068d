import { describe, expect, it } from '@jest/globals';
import { keysOf, linkTo, planned, snapshotOf, type Files } from '../planned-repository.fixture.ts';
import { json } from '../shop.fixture.ts';

const lockOf = (packages: Readonly<Record<string, unknown>>): string => json({ lockfileVersion: 3, packages });

const LOCKED = {
  '': {},
  'packages/api': { dependencies: { express: '^4.0.0' } },
  'packages/web': { dependencies: { react: '^18.0.0' } },
  'node_modules/express': { version: '4.1.0', dependencies: { qs: '^6.0.0' } },
  'node_modules/qs': { version: '6.0.0' },
  'node_modules/react': { version: '18.0.0' },
};

const packageOf = (name: string, more: Readonly<Record<string, unknown>> = {}): string =>
  json({ name: `@demo/${name}`, version: '1.0.0', scripts: { test: 'vitest', lint: 'eslint .' }, ...more });

/** Two packages with external dependencies of their own, one of them in TypeScript, and a third that uses both. */
const REPOSITORY: Files = {
  'README.md': '# Demo\n',
  'docs/guide.md': 'Read me.\n',
  '.gitignore': 'node_modules\n',
  'scripts/release.sh': 'exit 0\n',
  'tsconfig.base.json': '{}\n',
  'eslint.config.js': 'export default [];\n',
  'vitest.config.ts': 'export default {};\n',
  '.nvmrc': '24\n',
  'package.json': json({ name: 'demo', private: true, workspaces: ['packages/*'] }),
  'package-lock.json': lockOf(LOCKED),
  'packages/api/package.json': packageOf('api', { dependencies: { express: '^4.0.0' } }),
  'packages/api/src/index.ts': 'export {};\n',
  'packages/api/README.md': '# API\n',
  'packages/web/package.json': packageOf('web', { dependencies: { react: '^18.0.0' } }),
  'packages/web/src/index.js': 'export {};\n',
  'packages/shop/package.json': packageOf('shop', { dependencies: { '@demo/api': '*', '@demo/web': '*' } }),
  'packages/shop/src/index.js': 'export {};\n',
};

const formattedRoot = json({
  name: 'demo',
  private: true,
  workspaces: ['packages/*'],
  scripts: { lint: 'prettier --check .' },
});

const ALL = ['api', 'shop', 'web'].flatMap((name) => [`lint-packages-${name}`, `test-packages-${name}`]).sort();
const API = ['lint-packages-api', 'lint-packages-shop', 'test-packages-api', 'test-packages-shop'];
const LINT = ['lint-packages-api', 'lint-packages-shop', 'lint-packages-web'];
const TEST = ['test-packages-api', 'test-packages-shop', 'test-packages-web'];

function change(edit: Readonly<Record<string, string | null>>, before: Files = REPOSITORY): ReturnType<typeof planned> {
  const after = Object.fromEntries(
    Object.entries({ ...before, ...edit }).flatMap(([path, text]) => (text === null ? [] : [[path, text]])),
  );
  return planned(before, after);
}

describe('which rule takes a changed file where', () => {
  it.each<[path: string, text: string | null, rule: string, jobs: readonly string[]]>([
    ['packages/api/src/index.ts', 'export const a = 1;\n', 'ownership', API],
    ['packages/api/src/index.ts', null, 'ownership', API],
    ['packages/api/test/new.test.ts', 'new', 'ownership', API],
    ['README.md', 'other', 'documentation', []],
    ['docs/guide.md', 'other', 'documentation', []],
    ['packages/api/README.md', 'other', 'documentation', []],
    ['packages/api/src/template.md', 'material', 'ownership', API],
    ['packages/api/LICENSE', 'words', 'documentation', []],
    ['scripts/release.sh', 'exit 1\n', 'workspace-file', ALL],
    ['delta.yaml', 'version: 1\njobs: {}\n', 'ci-configuration', ALL],
    ['.github/workflows/ci.yml', 'on: push\n', 'ci-configuration', ALL],
    ['.gitattributes', '* text\n', 'checkout-configuration', ALL],
    ['.vscode/settings.json', '{}', 'not-read-by-jobs', []],
    ['.github/CODEOWNERS', '* @ada\n', 'not-read-by-jobs', []],
    ['.release-please-manifest.json', '{ "packages/api": "1.2.0" }', 'not-read-by-jobs', []],
    ['eslint.config.js', 'export default [1];\n', 'lint-configuration', LINT],
    ['packages/api/.eslintrc.json', '{}', 'lint-configuration', ['lint-packages-api']],
    ['.gitignore', 'dist\n', 'lint-configuration', LINT],
    ['vitest.config.ts', 'export default [];\n', 'test-configuration', TEST],
    ['tsconfig.base.json', '{ "strict": true }\n', 'typescript-configuration', API],
    ['.nvmrc', '26\n', 'toolchain-file', ALL],
    [
      'package.json',
      json({ name: 'demo', private: true, workspaces: ['packages/*'], overrides: {} }),
      'workspace-manifest',
      ALL,
    ],
    [
      'package.json',
      json({ name: 'demo', private: true, workspaces: ['packages/*'], description: 'new' }),
      'manifest-cosmetic',
      [],
    ],
    [
      'packages/api/package.json',
      packageOf('api', { dependencies: { express: '^4.0.0' }, keywords: ['x'] }),
      'manifest-cosmetic',
      [],
    ],
    [
      'packages/api/package.json',
      packageOf('api', { dependencies: { express: '^4.0.0' }, type: 'module' }),
      'manifest',
      API,
    ],
    ['package-lock.json', lockOf({ ...LOCKED, 'node_modules/qs': { version: '6.0.1' } }), 'lockfile-closure', API],
    ['package-lock.json', lockOf({ ...LOCKED, 'node_modules/unused': { version: '1.0.0' } }), 'lockfile-closure', []],
    [
      'package-lock.json',
      lockOf({ ...LOCKED, 'node_modules/qs': { version: '6.0.0', dev: true } }),
      'lockfile-closure',
      [],
    ],
    ['package-lock.json', json({ lockfileVersion: 4, packages: {} }), 'lockfile-unreadable', ALL],
    ['package-lock.json', 'not json', 'lockfile-unreadable', ALL],
  ])('given a change of %s, then the rule and the jobs are right', (path, text, rule, jobs) => {
    const plan = change({ [path]: text });
    expect(plan.files.map((file) => [file.path, file.rule])).toEqual([[path, rule]]);
    expect(keysOf(plan.jobs)).toEqual([...jobs]);
  });

  it('given that the root asks for another range of a tool, with the lockfile, then only who starts the tool runs', () => {
    const rootWith = (range: string): Files => ({
      'package.json': json({
        name: 'demo',
        private: true,
        workspaces: ['packages/*'],
        devDependencies: { linter: range },
      }),
      'package-lock.json': lockOf({
        ...LOCKED,
        '': { devDependencies: { linter: range } },
        'node_modules/linter': { version: range.slice(1), bin: { 'run-linter': 'cli.js' } },
        'packages/api/node_modules/linter': { version: '0.1.0' },
        'packages/shop/node_modules/linter': { version: '0.1.0' },
      }),
      'packages/web/package.json': packageOf('web', { scripts: { test: 'run-linter . && node --test' } }),
      ...Object.fromEntries(
        ['api', 'shop'].map((name) => [
          `packages/${name}/package.json`,
          packageOf(name, { scripts: { test: 'node --test' }, devDependencies: { linter: '^0.1.0' } }),
        ]),
      ),
    });
    const before = { ...REPOSITORY, ...rootWith('^1.0.0') };
    expect(keysOf(change(rootWith('^1.1.0'), before).jobs)).toEqual(['test-packages-web']);
    const alone = { 'package.json': rootWith('^1.1.0')['package.json'] ?? '' };
    // A manifest that the lockfile was not written for: no package could be installed.
    expect(change(alone, before).files.map(({ rule }) => rule)).toEqual(['workspace-manifest']);
  });

  it('given a lockfile that changes one package, then the sentence names it', () => {
    const plan = change({ 'package-lock.json': lockOf({ ...LOCKED, 'node_modules/qs': { version: '6.0.1' } }) });
    expect(plan.files[0]?.sentence).toBe(
      'package-lock.json was modified: it changes the external packages of packages/api (qs changed).',
    );
  });

  it('given a new package, then its jobs run; given one that is gone, then those that depended on it run', () => {
    const added = change({ 'packages/new/package.json': packageOf('new') });
    expect(keysOf(added.jobs)).toEqual(['lint-packages-new', 'test-packages-new']);
    const removed = change({ 'packages/web/package.json': null, 'packages/web/src/index.js': null });
    expect(keysOf(removed.jobs)).toEqual(expect.arrayContaining(['lint-packages-shop', 'test-packages-shop']));
  });

  it('given a script that checks every file, then what a release robot remembers is read', () => {
    const formatted = { ...REPOSITORY, 'package.json': formattedRoot };
    const plan = change({ '.release-please-manifest.json': '{}' }, formatted);
    expect(plan.files.map(({ rule }) => rule)).toEqual(['workspace-file']);
    expect(keysOf(plan.jobs)).toEqual(expect.arrayContaining(ALL));
  });

  it('given a renamed file, then both places count', () => {
    const after: Files = { ...REPOSITORY };
    const moved = planned(REPOSITORY, after, {
      comparison: {
        kind: 'changes',
        commit: 'b'.repeat(40),
        snapshot: snapshotOf(REPOSITORY),
        changes: [{ status: 'R', path: 'packages/web/src/moved.js', oldPath: 'packages/api/src/moved.js' }],
      },
    });
    expect(keysOf(moved.jobs)).toEqual(ALL);
  });

  it('given a link into another package, when what it leads to changes, then its holder runs', () => {
    const before = { ...REPOSITORY, 'packages/web/api': linkTo('../api/src') };
    const plan = change({ 'packages/api/src/index.ts': 'other' }, before);
    expect(keysOf(plan.jobs)).toEqual(ALL);
  });

  it('given a script that reads prose, then its jobs run when the prose changes', () => {
    const before = {
      ...REPOSITORY,
      'packages/api/package.json': packageOf('api', { scripts: { test: 'markdown-doctest README.md' } }),
    };
    expect(keysOf(change({ 'packages/api/README.md': 'other' }, before).jobs)).toEqual(['test-packages-api']);
  });

  it('given a test script that also lints, then a lint configuration reaches it', () => {
    const before = {
      ...REPOSITORY,
      'packages/web/package.json': packageOf('web', {
        scripts: { style: 'eslint .', test: 'npm run style && vitest' },
      }),
    };
    expect(keysOf(change({ 'eslint.config.js': 'other' }, before).jobs)).toContain('test-packages-web');
  });

  it('given a manifest that a change broke, then there is no plan that could look like success', () => {
    expect(() => change({ 'packages/api/package.json': '{' })).toThrow('manifest_unreadable');
  });

  it('given nothing to compare with, then everything runs for that reason', () => {
    const plan = planned(null, REPOSITORY);
    expect(keysOf(plan.jobs)).toEqual(ALL);
    expect(plan.jobs[0]?.explanation.sentence).toContain('because the branch is new');
  });
});
