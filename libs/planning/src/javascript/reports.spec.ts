import { describe, expect, it } from '@jest/globals';
import { snapshotOf } from '../planned-repository.fixture.ts';
import { json } from '../shop.fixture.ts';
import { discover } from '../discover.ts';

function reportsOf(files: Readonly<Record<string, string>>, test: string, more = {}): readonly string[] {
  const manifest = json({ name: 'a', scripts: { test, lint: 'eslint' }, ...more });
  const { units } = discover(snapshotOf({ 'lib/package.json': manifest, ...files }));
  expect(units[0]?.commands.find(({ kind }) => kind === 'lint')?.reports).toEqual([]);
  return units[0]?.commands.find(({ kind }) => kind === 'test')?.reports ?? [];
}

describe('reports of tests', () => {
  it.each<[what: string, files: Readonly<Record<string, string>>, test: string, more: object]>([
    ['a command line', {}, 'node --test --test-reporter=junit --test-reporter-destination=out/r.xml', {}],
    [
      'settings of Vitest',
      { 'lib/vitest.config.ts': "test: { reporters: ['junit'], outputFile: './out/r.xml' }" },
      'vitest',
      {},
    ],
    [
      'settings of Playwright',
      { 'lib/playwright.config.ts': "reporter: [['junit', { outputFile: 'out/r.xml' }]]" },
      'x',
      {},
    ],
    [
      'a member of the manifest',
      {},
      'jest --reporters=jest-junit',
      { 'jest-junit': { outputDirectory: 'out', outputName: 'r.xml' } },
    ],
  ])('given %s that names a place for JUnit, then the report lies there', (_what, files, test, more) => {
    expect(reportsOf(files, test, more)).toEqual(['lib/out/r.xml']);
  });

  it('given a reporter that nobody tells a place, then where it writes by itself; without one, then none', () => {
    expect(reportsOf({}, 'jest --reporters=jest-junit')).toEqual(['lib/junit.xml']);
    expect(reportsOf({ 'lib/jest.config.js': "export default { roots: ['sitemap.xml'] };" }, 'jest')).toEqual([]);
  });

  it('given a place out of the repository, then none', () => {
    expect(reportsOf({}, 'vitest --reporter=junit --outputFile=../../r.xml')).toEqual([]);
  });
});
