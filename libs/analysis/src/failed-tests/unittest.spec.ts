import { describe, expect, it } from '@jest/globals';
import { linesOf } from './told-lines.fixture.ts';
import { unittestFindings } from './unittest.ts';

const failure = (heading: string, ...told: string[]): string =>
  ['='.repeat(70), heading, '-'.repeat(70), ...told, '', ''].join('\n');
const TRACEBACK = 'Traceback (most recent call last):';
const ADDS = [TRACEBACK, '  File "/workspace/tests/test_cart.py", line 5, in test_adds', 'AssertionError: 3 != 4'];
const summed = (ran: number, counts: string): string =>
  `${'-'.repeat(70)}\nRan ${ran} tests in 0.001s\n\nFAILED (${counts})\n`;
const found = (log: string) => unittestFindings(linesOf(log), '');

describe('failed tests of unittest', () => {
  it.each([
    ['since Python 3.11', 'FAIL: test_adds (tests.test_cart.TestCart.test_adds)'],
    ['before', 'FAIL: test_adds (tests.test_cart.TestCart)'],
  ])(
    'given a heading as it is %s, then the test is named by its class, with its place and message',
    (_what, heading) => {
      expect(found(failure(heading, ...ADDS) + summed(3, 'failures=1, skipped=1'))).toEqual({
        format: 'unittest',
        tool: 'unittest',
        failed: [
          {
            name: 'TestCart.test_adds',
            suite: 'tests.test_cart.TestCart',
            message: 'AssertionError: 3 != 4',
            path: 'tests/test_cart.py',
            line: 5,
            compared: null,
            lines: { from: 2, to: 6 },
          },
        ],
        totals: { passed: 1, failed: 1, lines: [{ from: 9, to: 11 }] },
      });
    },
  );

  it('given an exception in what is tested, then the place is that of the test, and without it the deepest of the repository', () => {
    const frames = (method: string) => [
      TRACEBACK,
      `  File "/workspace/tests/test_cart.py", line 5, in ${method}`,
      '  File "/workspace/cart.py", line 9, in total',
      '  File "/workspace/.venv/lib/python3.11/site-packages/x/x.py", line 1, in x',
      "KeyError: 'pear'",
    ];
    const placed = (method: string) => found(failure('ERROR: test_adds (t.A)', ...frames(method)))?.failed[0];
    expect(placed('test_adds')).toMatchObject({ path: 'tests/test_cart.py', line: 5, message: "KeyError: 'pear'" });
    expect(placed('setUp')).toMatchObject({ path: 'tests/test_cart.py', line: 5 });
    expect(placed('other')).toMatchObject({ path: 'cart.py', line: 9 });
  });

  it('given an exception that followed from another, and output, then the last is told without the output', () => {
    const told = [
      TRACEBACK,
      '  File "/workspace/a.py", line 1, in a',
      "KeyError: 'a'",
      '',
      'The above exception …',
      '',
    ];
    const log = failure(
      'ERROR: a (t.A)',
      ...told,
      TRACEBACK,
      '  File "/workspace/a.py", line 3, in a',
      'RuntimeError: b',
      '',
      'Stdout:',
      'noise',
    );
    expect(found(log)?.failed).toMatchObject([{ message: 'RuntimeError: b', line: 3 }]);
  });

  it('given a description below the name, and cases of one test, then the cases are told apart and their test counts once', () => {
    const heading = (size: number) => `FAIL: test_adds (t.A.test_adds) (size=${size}, word='x y')`;
    const described = (size: number) =>
      failure(heading(size), ...ADDS).replace(heading(size), `${heading(size)}\nSums are sums.`);
    const findings = found(described(1) + described(3) + summed(3, 'failures=2'));
    expect(findings?.failed).toMatchObject([
      { name: "A.test_adds (size=1, word='x y')", message: 'AssertionError: 3 != 4' },
      { name: "A.test_adds (size=3, word='x y')", line: 5 },
    ]);
    expect(findings?.totals).toMatchObject({ passed: 2, failed: 2 });
  });

  it('given a class that cannot be set up and a module that cannot be loaded, then they are told as what failed', () => {
    const module = failure(
      'ERROR: tests.test_a (unittest.loader._FailedTest.tests.test_a)',
      'ImportError: Failed to import test module: tests.test_a',
      TRACEBACK,
      '  File "/usr/lib/python3.11/unittest/loader.py", line 1, in _find_test_path',
      '  File "/workspace/tests/test_a.py", line 1, in <module>',
      "ModuleNotFoundError: No module named 'a'",
    );
    const setUp = failure(
      'ERROR: setUpClass (t.A)',
      TRACEBACK,
      '  File "/workspace/t.py", line 1, in setUpClass',
      'OSError: no',
    );
    const findings = found(setUp + module + summed(2, 'errors=2'));
    expect(findings?.failed).toMatchObject([
      { name: 'A.setUpClass', suite: 't.A', path: 't.py', line: 1 },
      { name: 'tests.test_a', suite: '', path: 'tests/test_a.py', message: "ModuleNotFoundError: No module named 'a'" },
    ]);
    expect(findings?.totals).toMatchObject({ passed: 1, failed: 2 });
  });

  it('given a test that was to fail and did not, then that is told, also where only the counts say so', () => {
    const counts = summed(2, 'unexpected successes=1');
    const heading = `${'='.repeat(70)}\nUNEXPECTED SUCCESS: test_adds (t.A.test_adds)\n`;
    expect(found(heading + counts)?.failed).toMatchObject([{ name: 'A.test_adds', message: 'Unexpected success' }]);
    expect(found(counts)).toMatchObject({ failed: [], totals: { passed: 1, failed: 1 } });
  });

  it('given tests that all passed, then there is nothing to tell', () => {
    expect(found('...\n----------\nRan 3 tests in 0.1s\n\nOK (skipped=1)\n')).toBeNull();
  });
});
