import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Plan } from '@delta-ci/contracts';
import { largeWorkspace, type LargeWorkspace } from '../../../test/support/made-up/large-workspace.ts';
import { discover } from './discover.ts';
import { planned, snapshotOf, type Files } from './planned-repository.fixture.ts';

/**
 * The table that planners of large workspaces are held against: a source file, a README, the settings that every package
 * extends, and another version of one dependency, each with the number of packages that can notice.
 */
const PATH = { source: 'packages/p0/src/index.ts', readme: 'packages/p0/README.md', settings: 'tsconfig.base.json' };

const unitsWithJobs = (plan: Plan): number => new Set(plan.jobs.map(({ unit }) => unit)).size;

describe.each([
  ['npm', 1_000, 1_924],
  ['pnpm', 250, 481],
  ['yarn', 250, 481],
] as const)('a workspace of %s with %s packages', (manager, count, edgeCount) => {
  const workspace = (more: Partial<LargeWorkspace> = {}): Files =>
    largeWorkspace({ manager, count: count, version: '1.0.0', alsoAtRoot: false, ...more });
  let files: Files = {};
  beforeAll(() => {
    files = workspace();
  });

  const afterEdit = (path: string): Plan => planned(files, { ...files, [path]: `${files[path] ?? ''}\n` });

  it('are found, with their edges', () => {
    const { units, edges, problems } = discover(snapshotOf(files));
    expect(problems).toEqual([]);
    expect(units.filter(({ root }) => root !== '.')).toHaveLength(count);
    expect(edges).toHaveLength(edgeCount);
  });

  it('given one source file, then its package and the 63 that build upon it', () => {
    expect(unitsWithJobs(afterEdit(PATH.source))).toBe(64);
  });

  it('given the README of one package, then none, and why', () => {
    const plan = afterEdit(PATH.readme);
    expect(unitsWithJobs(plan)).toBe(0);
    expect(plan.files[0]?.sentence).toBe('packages/p0/README.md was modified: it is documentation that no job reads.');
  });

  it('given the settings that all extend, then all', () => {
    expect(unitsWithJobs(afterEdit(PATH.settings))).toBe(count);
  });

  it.each([false, true])(
    'given another version of one dependency (declared at the root too: %s), then the 102 that can load it',
    (alsoAtRoot) => {
      const plan = planned(workspace({ alsoAtRoot }), workspace({ alsoAtRoot, version: '1.0.1' }));
      expect(unitsWithJobs(plan)).toBe(102);
    },
  );

  it('given that a tool of the root is updated, then those whose scripts start it or whose tests may load it', () => {
    const lock =
      Object.keys(files).find((path) => /^(?:package-lock\.json|pnpm-lock\.yaml|yarn\.lock)$/u.test(path)) ?? '';
    const updated = (files[lock] ?? '').replaceAll('eslint-9.0.0', 'eslint-9.0.1');
    const plain = (name: string, script: string): string =>
      JSON.stringify({ name, scripts: { [script]: 'node run.js' } });
    const before = {
      ...files,
      'packages/p3/package.json': plain('@large/p3', 'build'),
      'packages/p4/package.json': plain('@large/p4', 'test'),
    };
    const plan = planned(before, { ...before, [lock]: updated });
    expect(plan.files.map(({ rule }) => rule)).toEqual(['lockfile-closure']);
    expect(plan.units.filter(({ affected }) => !affected).map(({ id }) => id)).toEqual(['packages/p3']);
  });
});
