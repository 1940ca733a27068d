import { describe, expect, it } from '@jest/globals';
import { pytestFindings } from './pytest.ts';
import { linesOf } from './told-lines.fixture.ts';

const summary = (...listed: string[]): string => ['=== short test summary info ===', ...listed, ''].join('\n');
const found = (log: string) => pytestFindings(linesOf(log), '');

describe('failed tests of pytest', () => {
  it('given a story above the summary, then it has the message whole and the line of the test itself', () => {
    const log = [
      '____ TestCart.test_adds[a b-1] ____',
      '',
      '>       check(total())',
      '',
      'tests/test_cart.py:7:',
      '_ _ _ _ _',
      'cart.py:3: in check',
      '>       assert 3 == 4, "prices"',
      'E       AssertionError: prices',
      'E       assert 3 == 4',
      'E        +  where 3 = total()',
      '',
      'cart.py:3: AssertionError',
      '---- Captured stdout call ----',
      'E   not of it',
      summary('FAILED tests/test_cart.py::TestCart::test_adds[a b-1] - AssertionError: pri...'),
    ].join('\n');
    expect(found(log)).toMatchObject({
      failed: [
        {
          name: 'TestCart.test_adds[a b-1]',
          suite: 'tests/test_cart.py',
          message: 'AssertionError: prices\nassert 3 == 4\n +  where 3 = total()',
          path: 'tests/test_cart.py',
          line: 7,
          lines: { from: 1, to: 11 },
        },
      ],
      totals: null,
    });
  });

  it('given no stories, then the summary has to do', () => {
    const log = `${summary('FAILED a/test_a.py::test_a - assert 1 == 2', 'ERROR a/test_b.py')}=== 1 failed, 3 passed, 1 error, 2 subtests passed in 65.02s (0:01:05) ===\nERROR c.py\n`;
    expect(found(log)).toMatchObject({
      failed: [
        { name: 'test_a', message: 'assert 1 == 2', path: 'a/test_a.py', line: null },
        { name: 'a/test_b.py', message: '', path: 'a/test_b.py' },
      ],
      totals: { passed: 3, failed: 2, lines: [{ from: 4, to: 4 }] },
    });
  });

  it('given tests of one name in two files, then each has the story of its own', () => {
    const story = (file: string, line: number) => `____ test_a ____\n${file}:${line}: in test_a\nE   ${file}\n`;
    const log = story('a.py', 1) + story('b.py', 2) + summary('FAILED a.py::test_a', 'FAILED b.py::test_a');
    expect(found(log)?.failed.map(({ path, line, message }) => [path, line, message])).toEqual([
      ['a.py', 1, 'a.py'],
      ['b.py', 2, 'b.py'],
    ]);
  });

  it('given a test that fails and cannot be cleaned up after, then each has the story of its own', () => {
    const log = `___ ERROR at teardown of test_a ___\nE   after\n=== FAILURES ===\n___ test_a ___\nE   in\n${summary('FAILED a.py::test_a', 'ERROR a.py::test_a')}`;
    expect(found(log)?.failed.map(({ message }) => message)).toEqual(['in', 'after']);
  });

  it('given words of a failure without a summary, then there is nothing to tell', () => {
    expect(found('FAILED a.py::test_a - no\n=== 1 failed in 0.1s ===\n')).toBeNull();
  });
});
