import { describe, expect, it } from '@jest/globals';
import type { CommandShards } from '../model.ts';
import { discover } from '../discover.ts';
import { snapshotOf, type Files } from '../planned-repository.fixture.ts';
import { json } from '../shop.fixture.ts';

const VITEST = { vitest: '^3.0.0' };

/** What is known of shards of the tests of `web`, a package with forty files of tests. */
function shardsOf(web: Readonly<Record<string, unknown>>, others: Files = {}): CommandShards | undefined {
  const files: Files = {
    'package.json': json({ name: 'all', private: true, workspaces: ['web'] }),
    'web/package.json': json({ name: 'web', ...web }),
    ...testFiles('web/src', 40),
    ...others,
  };
  const unit = discover(snapshotOf(files)).units.find(({ id }) => id === 'web');
  return unit?.commands.find(({ kind }) => kind === 'test')?.shards;
}

function testFiles(folder: string, count: number): Files {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`${folder}/page-${at}.test.ts`, '']));
}

const ran = (test: string, devDependencies: Files = VITEST, more = {}): CommandShards | undefined =>
  shardsOf({ scripts: { test }, devDependencies, ...more });

describe('tests that can be run shard by shard', () => {
  it.each<[string, Files, string]>([
    ['vitest run', VITEST, '--shard of vitest'],
    ['vitest --run --silent', { vitest: '~1.6.0' }, '--shard of vitest'],
    ['jest', { jest: '30.0.0' }, '--shard of jest'],
    ['cross-env NODE_ENV=test npx jest --ci --maxWorkers=2', { jest: '^29.7.0' }, '--shard of jest'],
    ['playwright test', { '@playwright/test': '^1.50.0' }, '--shard of playwright'],
  ])('are those of `%s`, where the runner is declared', (test, declared, by) => {
    expect(ran(test, declared)).toEqual({ by, suffix: ' -- --shard={number}/{count}', most: 4 });
  });

  it('are so as well where the root of the workspace brings the runner', () => {
    const root = json({ name: 'all', private: true, workspaces: ['web'], devDependencies: VITEST });
    expect(ran('vitest run', {})).toBeUndefined();
    expect(shardsOf({ scripts: { test: 'vitest run' } }, { 'package.json': root })?.by).toBe('--shard of vitest');
  });

  it('get their argument as their package manager passes it on', () => {
    const pnpm = { 'pnpm-workspace.yaml': 'packages:\n  - web\n' };
    expect(shardsOf({ scripts: { test: 'vitest run' }, devDependencies: VITEST }, pnpm)?.suffix).toBe(
      ' --shard={number}/{count}',
    );
  });

  it.each([
    ['another command after it', 'vitest run && node check.js'],
    ['a shell to read it', 'vitest run $FILES'],
    ['a runner that watches', 'vitest'],
    ['a measure of all tests', 'vitest run --coverage'],
    ['shards already', 'vitest run --shard=1/2'],
    ['arguments after a separator', 'vitest run -- src'],
    ['files or folders to take', 'vitest run src/unit'],
    ['a pattern to take', 'vitest run --testNamePattern=fast'],
    ['projects to take', 'vitest run --project unit'],
    ['a runner nobody knows', 'mocha'],
  ])('are not those with %s', (_what, test) => {
    expect(ran(test)).toBeUndefined();
  });

  it.each<[string, Files]>([
    ['a release from before there were shards', { jest: '^27.0.0' }],
    ['a release that nobody can tell', { jest: 'latest' }],
    ['no declaration', {}],
  ])('are not those of a runner of %s', (_what, declared) => {
    expect(ran('jest', declared)).toBeUndefined();
  });

  it('are not those with a script before or after them', () => {
    expect(ran('vitest run', VITEST, { scripts: { test: 'vitest run', posttest: 'node merge.js' } })).toBeUndefined();
  });

  it('are not those whose settings look at all tests together', () => {
    const settings = 'export default { test: { coverage: { thresholds: { lines: 80 } } } };\n';
    const web = { scripts: { test: 'vitest run' }, devDependencies: VITEST };
    expect(shardsOf(web, { 'web/vitest.config.ts': settings })).toBeUndefined();
    expect(shardsOf(web, { 'vitest.config.ts': settings })).toBeUndefined();
  });

  it.each([
    'export default { test: { include: ["src/unit/**"] } };\n',
    'export default { test: { dir: "src/unit" } };\n',
    'module.exports = { "testMatch": ["**/slow/*.js"] };\n',
  ])('are not those whose settings take other files: %s', (settings) => {
    const web = { scripts: { test: 'vitest run' }, devDependencies: VITEST };
    expect(shardsOf(web, { 'web/vitest.config.ts': settings })).toBeUndefined();
  });

  it('are at most as many as have ten files each; files of packages below do not count', () => {
    const inner = {
      'package.json': json({ name: 'all', private: true, workspaces: ['web', 'web/inner'] }),
      'web/inner/package.json': json({ name: 'inner' }),
      ...testFiles('web/inner/src', 100),
    };
    expect(shardsOf({ scripts: { test: 'vitest run' }, devDependencies: VITEST }, inner)?.most).toBe(4);
  });
});
