import { describe, expect, it } from '@jest/globals';
import type { Plan } from '@delta-ci/contracts';
import { DiscoveryMemory, discover, planChange, type ChangedFile, type RepositorySnapshot } from '@delta-ci/planning';
import { pushOfStep } from '../../history/push-of-step.ts';
import type { OracleAnswer, OracleEdge } from './answer.ts';
import { compare, type Comparison } from './compare.ts';
import type { Sides } from './differences.ts';

/** Real plans of a small shop, held against what a tool might say of the same change. */

type Files = Readonly<Record<string, string>>;

const json = (value: unknown): string => JSON.stringify(value);
const scripts = { test: 'node --test', lint: 'eslint .' };

const SHOP: Files = {
  'turbo.json': json({ tasks: { test: {} } }),
  'package.json': json({
    name: 'all',
    private: true,
    workspaces: ['packages/*'],
    devDependencies: { husky: '^1.0.0' },
  }),
  'package-lock.json': json({
    lockfileVersion: 3,
    packages: {
      '': { name: 'all', workspaces: ['packages/*'], devDependencies: { husky: '^1.0.0' } },
      'node_modules/husky': { version: '1.0.0' },
      'node_modules/dayjs': { version: '1.0.0' },
      'packages/money': { name: '@all/money' },
      'packages/cart': { name: '@all/cart', dependencies: { '@all/money': '*', dayjs: '^1.0.0' } },
      'packages/shop': { name: '@all/shop', devDependencies: { '@all/cart': '*' } },
      'packages/site': { name: '@all/site', dependencies: { '@all/shop': '*' } },
    },
  }),
  'packages/money/package.json': json({ name: '@all/money', scripts }),
  'packages/money/index.js': 'export const money = 1;',
  'packages/money/README.md': 'Money.',
  'packages/cart/package.json': json({
    name: '@all/cart',
    scripts,
    dependencies: { '@all/money': '*', dayjs: '^1.0.0' },
  }),
  'packages/shop/package.json': json({ name: '@all/shop', scripts, devDependencies: { '@all/cart': '*' } }),
  'packages/site/package.json': json({
    name: '@all/site',
    scripts: { test: 'node --test' },
    dependencies: { '@all/shop': '*' },
  }),
};

const snapshotOf = (files: Files): RepositorySnapshot => ({
  entries: Object.keys(files).map((path, at) => ({
    path,
    mode: '100644',
    type: 'file' as const,
    blobId: String(at).padStart(40, '0'),
  })),
  contents: new Map(Object.entries(files)),
});

function sidesOf(after: Files, answer: OracleAnswer): Sides {
  const changed = [...new Set([...Object.keys(SHOP), ...Object.keys(after)])]
    .filter((path) => SHOP[path] !== after[path])
    .map((path): ChangedFile => ({ path, status: path in SHOP ? (path in after ? 'M' : 'D') : 'A' }));
  const [base, head] = [snapshotOf(SHOP), snapshotOf(after)];
  const who = { name: 'Ada', email: 'ada@example.test', timeMs: 0 };
  const commitOf = (letter: string) => ({
    id: letter.repeat(40),
    treeId: letter.repeat(40),
    parents: [],
    author: who,
    committer: who,
    subject: 'a change',
    message: 'a change',
  });
  const push = pushOfStep({ commit: commitOf('c'), parent: commitOf('b'), changes: [] }, head, base);
  const planned = planChange({
    ...push,
    comparison: { kind: 'changes', commit: 'b'.repeat(40), snapshot: base, changes: changed },
  });
  if (!planned.ok) throw new Error(planned.message);
  const plan: Plan = planned.plan;
  return { plan, discovery: discover(head, new DiscoveryMemory()), answer, changed };
}

const UNITS = ['.', 'packages/money', 'packages/cart', 'packages/shop', 'packages/site'];
const EDGES: readonly OracleEdge[] = [
  { from: 'packages/cart', to: 'packages/money', passesOn: true },
  { from: 'packages/shop', to: 'packages/cart', passesOn: true },
  { from: 'packages/site', to: 'packages/shop', passesOn: true },
];

function compared(change: Files, affected: readonly string[], edges = EDGES, units = UNITS): Comparison {
  return compare(sidesOf({ ...SHOP, ...change }, { units, affected, edges, unknown: 0 }));
}

const reasonsIn = ({ theirsOnly }: Comparison) => theirsOnly.map(({ unit, reasons }) => [unit, ...reasons]);

describe('a plan beside what a tool says', () => {
  it('agrees where both call the same units affected', () => {
    const { both, oursOnly, listed } = compared({ 'packages/money/index.js': 'export const money = 2;' }, [
      'packages/money',
      'packages/cart',
      'packages/shop',
    ]);
    expect({ both, oursOnly, listed }).toEqual({
      both: ['packages/cart', 'packages/money', 'packages/shop'],
      oursOnly: [],
      listed: 5,
    });
  });

  it('tells by which rule a unit is in the plan alone', () => {
    const { oursOnly } = compared({ '.github/workflows/ci.yml': 'on: push' }, []);
    expect(oursOnly).toContainEqual({ unit: 'packages/site', rule: 'ci-configuration' });
  });

  it('counts only what both list as ours alone', () => {
    const { oursOnly } = compared({ '.github/workflows/ci.yml': 'on: push' }, [], [], ['packages/site']);
    expect(oursOnly).toEqual([{ unit: 'packages/site', rule: 'ci-configuration' }]);
  });
});

describe('a unit that only the tool calls affected is explained', () => {
  it('by documentation that no job reads', () => {
    const found = compared({ 'packages/money/README.md': 'More money.' }, ['packages/money', 'packages/cart']);
    expect(reasonsIn(found)).toEqual([
      ['packages/cart', 'documentation only'],
      ['packages/money', 'documentation only'],
    ]);
  });

  it('by words of a manifest, and by what no job reads', () => {
    const manifest = json({ name: '@all/money', description: 'coins', scripts });
    const found = compared({ 'packages/money/package.json': manifest, '.vscode/settings.json': '{}' }, [
      'packages/money',
    ]);
    expect(reasonsIn(found)).toEqual([['packages/money', 'read by no job', 'words of a manifest']]);
  });

  it('by a lockfile that resolves the same for it', () => {
    const lock = SHOP['package-lock.json']?.replace(
      '"node_modules/dayjs":{"version":"1.0.0"}',
      '"node_modules/dayjs":{"version":"1.0.1"}',
    );
    const found = compared({ 'package-lock.json': lock ?? '' }, ['packages/cart', 'packages/money']);
    expect(found.both).toEqual(['packages/cart']);
    expect(reasonsIn(found)).toEqual([['packages/money', 'the lockfile does not reach it']]);
  });

  it('by a dependency of development, which is no part of what depends on it', () => {
    const found = compared({ 'packages/money/index.js': 'export const money = 3;' }, ['packages/site']);
    expect(reasonsIn(found)).toEqual([['packages/site', 'worked on or tested with it']]);
  });

  it('by a declared input that says the same as before', () => {
    const found = compared({ 'turbo.json': json({ tasks: { test: {}, dev: { cache: false } } }) }, ['packages/site']);
    expect(reasonsIn(found)).toEqual([['packages/site', 'says the same to every job']]);
  });

  it('by what configures jobs that it does not have', () => {
    const found = compared({ '.eslintrc.json': '{}' }, ['packages/site']);
    expect(reasonsIn(found)).toEqual([['packages/site', 'configures other jobs']]);
  });

  it('by a root that only the tool sees between it and what changed', () => {
    const edges = [
      { from: '.', to: 'packages/site', passesOn: true },
      { from: 'packages/money', to: '.', passesOn: true },
    ];
    const found = compared({ 'packages/site/index.js': '//' }, ['packages/money'], edges);
    expect(reasonsIn(found)).toEqual([['packages/money', 'uses nothing of the root']]);
  });

  it('by a root that it uses nothing of, where the tool takes the root for everybody’s dependency', () => {
    const lock = SHOP['package-lock.json']?.replace(
      '"node_modules/husky":{"version":"1.0.0"}',
      '"node_modules/husky":{"version":"1.0.1"}',
    );
    const edges = [{ from: 'packages/money', to: '.', passesOn: true }];
    const found = compared({ 'package-lock.json': lock ?? '' }, ['packages/money'], edges);
    expect(reasonsIn(found)).toEqual([['packages/money', 'uses nothing of the root']]);
  });
});

describe('a unit that only the tool calls affected stays unexplained', () => {
  const words = ({ theirsOnly }: Comparison): string | undefined => theirsOnly[0]?.words;

  it('when the tool knows a dependency that was not discovered', () => {
    const edges = [{ from: 'packages/money', to: 'packages/site', passesOn: true }];
    const found = compared({ 'packages/site/index.js': '//' }, ['packages/money'], edges);
    expect(words(found)).toBe(
      'packages/site/index.js reaches packages/site, and only the tool knows that packages/money depends on that',
    );
  });

  it('when the plan ends before what depends on a unit that is reached', () => {
    const sides = sidesOf(
      { ...SHOP, 'packages/money/index.js': '//' },
      { units: UNITS, affected: ['packages/cart'], edges: EDGES, unknown: 0 },
    );
    const units = sides.plan.units.map((unit) => ({ ...unit, affected: unit.root === 'packages/money' }));
    expect(words(compare({ ...sides, plan: { ...sides.plan, units } }))).toBe(
      'packages/money/index.js reaches packages/money (ownership), and packages/cart depends on that and is not reached',
    );
  });

  it('when nothing was discovered there', () => {
    const found = compared({ 'tools/x/main.js': '//' }, ['tools/x'], EDGES, [...UNITS, 'tools/x']);
    expect(words(found)).toBe('nothing was discovered there');
  });

  it('when no changed file has to do with it', () => {
    const found = compared({ 'packages/site/index.js': '//' }, ['packages/money']);
    expect(words(found)).toBe('none of the changed files has to do with it, as far as is known');
  });

  it('when its own file reaches something else', () => {
    const sides = sidesOf(
      { ...SHOP, 'packages/money/index.js': '//' },
      { units: UNITS, affected: ['packages/money'], edges: EDGES, unknown: 0 },
    );
    const units = sides.plan.units.map((unit) => ({ ...unit, affected: false }));
    const files = sides.plan.files.map((file) => ({ ...file, reaches: [] }));
    const found = compare({ ...sides, plan: { ...sides.plan, units, files } });
    expect(words(found)).toBe('packages/money/index.js reaches nothing (ownership) and not packages/money');
  });
});
