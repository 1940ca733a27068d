import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { keysOf, planned, type Files } from '../planned-repository.fixture.ts';

const treeOf = (name: string): Files =>
  filesOfTree(readFileSync(new URL(`../detectors/trees/${name}.tree.txt`, import.meta.url), 'utf8'));

const SHOP = treeOf('python-uv-workspace');
const { 'broken/pyproject.toml': _, ...ODD } = treeOf('python-odd-places');

/** The rule that a file falls under and the jobs that run when one text in it becomes another. */
function change(files: Files, path: string, from: string, to: string): readonly [rule: string, jobs: string[]] {
  const after = from === '' ? `${files[path] ?? ''}${to}` : (files[path] ?? '').replace(from, to);
  expect(after).not.toBe(files[path]);
  const plan = planned(files, { ...files, [path]: after });
  return [plan.files[0]?.rule ?? '', keysOf(plan.jobs)];
}

const CART = ['lint-packages-cart', 'test-packages-cart'];
const ROOT = ['lint', 'test', 'typecheck'];
const MONEY = ['lint-packages-money'];
const ALL = [...ROOT, ...CART, ...MONEY].sort();

describe('a change of a workspace of uv', () => {
  it.each<[what: string, path: string, from: string, to: string, rule: string, jobs: readonly string[]]>([
    ['a source of a member', 'packages/cart/cart.py', '', 'x', 'ownership', [...ROOT, ...CART]],
    ['a source of the root', 'shop/__init__.py', '', 'x', 'declared-input', ROOT],
    ['what a member is worked on with', 'probe/probe.py', '', 'x', 'ownership', MONEY],
    ['a package of an extra', 'uv.lock', '"4.2.0"', '"4.3.0"', 'lockfile-closure', [...ROOT, ...CART]],
    ['a tool of everybody', 'uv.lock', '"8.3.0"', '"8.4.0"', 'lockfile-closure', ALL],
    [
      'words of a manifest',
      'packages/cart/pyproject.toml',
      'version = "0.1.0"',
      'version = "0.2.0"',
      'manifest-cosmetic',
      [],
    ],
    ['what tests begin with', 'conftest.py', '', 'x', 'declared-input', ['test', 'test-packages-cart']],
    ['the version of Python', '.python-version', '3.12', '3.13', 'declared-input', ALL],
  ])('given %s, then the rule and the jobs are right', (_what, path, from, to, rule, jobs) => {
    expect(change(SHOP, path, from, to)).toEqual([rule, [...jobs].sort()]);
  });

  it('given a member that only the lockfile says another needs, then that other runs too', () => {
    const manifest = '[project]\nname = "cart"\nversion = "0.1.0"\ndynamic = ["dependencies"]\n';
    const dynamic = { ...SHOP, 'packages/cart/pyproject.toml': manifest };
    expect(change(dynamic, 'packages/money/money.py', '', 'x')[1]).toEqual(ALL);
  });

  it('given a lockfile that cannot be read any more, then all that is installed from it runs', () => {
    expect(keysOf(planned(SHOP, { ...SHOP, 'uv.lock': 'version = 9\n' }).jobs)).toEqual(ALL);
  });
});

describe('a change of a page', () => {
  const money = (settings: string): Files => ({
    'pyproject.toml': `[project]\nname = "money"\nversion = "1"\n[dependency-groups]\ndev = ["pytest"]\n${settings}`,
    'test_money.py': '',
    'README.md': '>>> 1 + 1\n2\n',
    'CHANGES.md': 'None\n',
  });
  it.each([
    ['[tool.pytest.ini_options]\naddopts = "--doctest-glob=README.md"\n', {}],
    ['[tool.pytest.ini_options]\naddopts = ["--doctest-glob", "READ*"]\n', {}],
    ['[tool.pytest.ini_options]\ntestpaths = ["README.md", "."]\n', {}],
    ['', { 'pytest.ini': '[pytest]\naddopts = --doctest-glob="README.*"\n' }],
    ['', { 'setup.cfg': '[x]\n[tool:pytest]\ntestpaths = README.md .\n' }],
  ])('given that %s %o names it for pytest, then it is tested, and no other page', (settings, more) => {
    const files = { ...money(settings), ...more };
    expect(change(files, 'README.md', '1 + 1', '1+1')[1]).toEqual(['test']);
    expect(change(files, 'CHANGES.md', '', 'Some')[1]).toEqual([]);
  });

  it('given that only other tools name it, then nothing runs', () => {
    const files = { ...money(''), 'setup.cfg': '[tool:pytest]\nverbosity = 1\n[flake8]\nper-file = README.md\n' };
    expect(change(files, 'README.md', '1 + 1', '1+1')[1]).toEqual([]);
  });
});

describe('a change of packages that are installed one by one', () => {
  it.each<[what: string, path: string, from: string, to: string, jobs: readonly string[]]>([
    ['a package by path', 'lib/lib.py', '', 'x', ['lint-lib', 'test-api', 'test-lib', 'test-site']],
    ['a package that an extra brings', 'api/poetry.lock', '"3.8.0"', '"3.8.1"', ['test-api']],
    [
      'a script of setuptools',
      'lib/setup.py',
      'never run',
      'run never',
      ['lint-lib', 'test-api', 'test-lib', 'test-site'],
    ],
    ['a constraint elsewhere', 'constraints.txt', '7.0.0', '7.1.0', ['lint-lib', 'test-api', 'test-lib', 'test-site']],
    ['requirements', 'site/requirements.txt', '5.1', '5.2', ['test-site']],
    ['a remark among requirements', 'site/requirements.txt', 'pytest', 'pytest  # for tests', []],
  ])('given %s, then the right jobs run', (_what, path, from, to, jobs) => {
    expect(change(ODD, path, from, to)[1]).toEqual(jobs);
  });
});
