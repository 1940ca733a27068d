import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shardStep } from '../construction/shards.ts';
import { discover } from '../discover.ts';
import type { UnitCommand } from '../model.ts';
import { snapshotOf, type Files } from '../planned-repository.fixture.ts';

const PROJECT = '[project]\nname = "shop"\n[dependency-groups]\ndev = ["pytest>=8"]\n';
const SETTINGS = '[tool.pytest.ini_options]\n';

function testFiles(folder: string, count: number): Files {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`${folder}/test_${at}.py`, '']));
}

/** The tests of `shop`, with forty files of tests, with these settings of its own, and other files. */
function commandOf(settings: string, others: Files = {}): UnitCommand | undefined {
  const files = { 'shop/pyproject.toml': PROJECT + settings, ...testFiles('shop/tests', 40), ...others };
  const unit = discover(snapshotOf(files)).units.find(({ root }) => root === 'shop');
  return unit?.commands.find(({ kind }) => kind === 'test');
}

const shardsOf = (settings: string, others: Files = {}) => commandOf(settings, others)?.shards;

/** What each of so many shards leaves out. */
function leftOut(command: UnitCommand, count: number): string[][] {
  const { step, shards } = command;
  if (shards === undefined) throw new Error('the command has no shards');
  return Array.from({ length: count }, (_, at) => {
    const { run } = shardStep(step, shards, { number: at + 1, count });
    expect(run.startsWith(`${step.run} `)).toBe(true);
    const words = run.slice(step.run.length + 1).split(' ');
    expect(words.every((word) => word.startsWith('--ignore='))).toBe(true);
    return words.map((word) => word.slice('--ignore='.length));
  });
}

describe('tests of pytest, shard by shard', () => {
  it('law: every file is run by one shard and left out by all others, and nothing else is left out', () => {
    const anyFiles = fc.uniqueArray(fc.stringMatching(/^(?:[a-z]{1,3}\/)?test_[a-z0-9]{1,6}\.py$/), {
      minLength: 20,
      maxLength: 60,
    });
    fc.assert(
      fc.property(anyFiles, fc.integer({ min: 2, max: 6 }), (names, wanted) => {
        const files = Object.fromEntries(names.map((name) => [`shop/tests/of/${name}`, '']));
        const command = commandOf(SETTINGS, files);
        if (command?.shards === undefined) throw new Error('it has shards');
        const all = [...names.map((name) => `tests/of/${name}`), ...Object.keys(testFiles('tests', 40))];
        const count = Math.min(wanted, command.shards.most);
        const runs = leftOut(command, count).map((left) => all.filter((path) => !left.includes(path)));
        expect(runs.flat().sort()).toEqual(all.toSorted());
        expect(Math.min(...runs.map(({ length }) => length))).toBeGreaterThanOrEqual(10);
      }),
    );
  });

  it('leave the command as it is, so that pytest goes on to read and collect what it would', () => {
    const command = commandOf(SETTINGS);
    expect(command?.step.run).toBe('.venv/bin/python -m pytest --junitxml=pytest-report.xml');
    expect(command?.shards).toMatchObject({ by: '--ignore of pytest, file by file', most: 4 });
  });

  it.each([
    ['[tool.pytest]\naddopts = ["-ra", "-n", "auto", "--strict-markers"]\n', {}],
    [`${SETTINGS}testpaths = ["tests"]\naddopts = "-q --tb=short -p no:cacheprovider"\n`, {}],
    [`${SETTINGS}python_files = "test_*.py tests.py"\n`, {}],
    ['', { 'shop/pytest.ini': '[pytest]\ntestpaths =\n    tests\nxfail_strict = true\n' }],
    ['', { 'shop/pytest.ini': '' }],
    ['', { 'shop/setup.cfg': '[metadata]\nname = shop\n[tool:pytest]\ntestpaths = tests\n' }],
    ['', { 'shop/tox.ini': '[tox]\nenvlist = py\n\n[pytest]\n# words\naddopts: -v\n' }],
  ])('are known with the settings %j and %j', (settings, others) => {
    expect(shardsOf(settings, others)?.most).toBe(4);
  });

  it.each([
    ['no settings of its own', '', {}],
    ['settings further up', '', { 'pytest.ini': '[pytest]\n' }],
    ['a measure of all tests', `${SETTINGS}addopts = "--cov=shop --cov-fail-under=80"\n`, {}],
    ['some tests alone', `${SETTINGS}addopts = "-m 'not slow'"\n`, {}],
    ['tests of documentation', `${SETTINGS}addopts = "--doctest-modules"\n`, {}],
    ['files that nobody would take for tests', `${SETTINGS}python_files = "check_*.py"\n`, {}],
    ['all files', `${SETTINGS}python_files = "*.py"\n`, {}],
    ['folders of its own to pass over', `${SETTINGS}norecursedirs = "slow"\n`, {}],
    ['tests where there is nothing', `${SETTINGS}testpaths = ["checks"]\n`, {}],
    ['tests found by a pattern', `${SETTINGS}testpaths = ["te*"]\n`, {}],
    ['tests out of its folder', `${SETTINGS}testpaths = ["../other"]\n`, { 'other/test_a.py': '' }],
    ['a file of settings that is not read', SETTINGS, { 'shop/pytest.toml': '' }],
    ['more settings than anybody writes', `${SETTINGS}testpaths = "${'tests '.repeat(51)}"\n`, {}],
    ['patterns longer than anybody writes', `${SETTINGS}python_files = "${'test'.repeat(10_000)}*.py"\n`, {}],
    ['an earlier file that counts', SETTINGS, { 'shop/pytest.ini': '[pytest]\naddopts = -k fast\n' }],
  ])('are not known with %s', (_what, settings, others) => {
    expect(commandOf(settings, others)).toBeDefined();
    expect(shardsOf(settings, others)).toBeUndefined();
  });

  it('count files where pytest looks, and no others', () => {
    const others = { ...testFiles('shop/build/lib', 40), ...testFiles('shop/.tox/py', 40) };
    expect(shardsOf(SETTINGS, others)?.most).toBe(4);
    expect(shardsOf(SETTINGS, testFiles('shop/src/inner', 40))?.most).toBe(8);
    const neighbours = {
      ...testFiles('shop-window/tests', 40),
      ...testFiles('shop.old/tests', 40),
      ...testFiles('shop0', 40),
    };
    expect(shardsOf(SETTINGS, neighbours)?.most).toBe(4);
    expect(shardsOf(`${SETTINGS}testpaths = ["tests"]\n`, testFiles('shop/src/inner', 40))?.most).toBe(4);
  });

  it('are not known where the files are more than a command line is for', () => {
    expect(shardsOf(SETTINGS, testFiles(`shop/tests/${'long'.repeat(20)}`, 600))).toBeUndefined();
  });

  it('leave out what has to be quoted', () => {
    const command = commandOf(SETTINGS, { "shop/tests/it's test.py": '', 'shop/tests/test_it (1).py': '' });
    expect(command?.shards?.leavesOut).toContain("'--ignore=tests/test_it (1).py'");
  });
});
