import { describe, expect, it } from '@jest/globals';
import { cargoTestFindings } from './cargo-test.ts';
import { linesOf } from './told-lines.fixture.ts';

const RESULT = '\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n';
const story = (name: string, ...told: string[]): string =>
  ['failures:', '', `---- ${name} stdout ----`, ...told, '', 'failures:', `    ${name}`, RESULT].join('\n');
const found = (log: string) => cargoTestFindings(linesOf(log), '');
const only = (log: string) => found(log)?.failed[0];

describe('failed tests of cargo test', () => {
  it('given values that are compared, then they are told by their sides, with the words of the assertion', () => {
    const log = story(
      'tests::adds',
      'some output',
      '',
      "thread 'tests::adds' (7) panicked at src/lib.rs:12:9:",
      'assertion `left == right` failed: prices are added up',
      '  left: "a\\nb"',
      ' right: "c"',
      'note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace',
    );
    expect(found(log)).toEqual({
      format: 'cargo-test',
      tool: 'cargo test',
      failed: [
        {
          name: 'tests::adds',
          suite: '',
          message: 'assertion `left == right` failed: prices are added up\n  left: "a\\nb"\n right: "c"',
          path: 'src/lib.rs',
          line: 12,
          compared: { left: '"a\\nb"', right: '"c"' },
          lines: { from: 6, to: 9 },
        },
      ],
      totals: { passed: 2, failed: 1, lines: [{ from: 15, to: 15 }] },
    });
  });

  it.each([
    [
      'several lines',
      [
        "thread 'tests::adds' panicked at 'assertion failed: `(left == right)`",
        '  left: `3`,',
        " right: `4`: it's two, and one', src/lib.rs:12:9",
      ],
      'assertion failed: `(left == right)`',
      { left: '3', right: '4' },
    ],
    ['one line', ["thread 'tests::adds' panicked at 'no price', src/lib.rs:12:9"], 'no price', null],
  ])('given a panic as Rust told it before 1.73, in %s, then it is understood', (_what, told, message, compared) => {
    const test = only(story('tests::adds', ...told, 'note: run with `RUST_BACKTRACE=1` …'));
    expect(test).toMatchObject({ path: 'src/lib.rs', line: 12, compared });
    expect(test?.message.split('\n')[0]).toBe(message);
  });

  it('given output that is not kept apart, then the thread of a panic tells the test', () => {
    const log = [
      'running 3 tests',
      'test tests::adds ... adding up',
      '',
      "thread 'tests::adds' (7) panicked at src/lib.rs:27:9:",
      'no price',
      'FAILED',
      '',
      'failures:',
      '',
      'failures:',
      '    tests::adds',
      RESULT,
    ].join('\n');
    expect(found(log)?.failed).toMatchObject([
      { name: 'tests::adds', message: 'no price', path: 'src/lib.rs', line: 27, lines: { from: 4, to: 5 } },
    ]);
  });

  it('given the panic of a thread that the test waited for, then its words are told and not that it was handed on', () => {
    const log = story(
      'tests::waits',
      "thread '<unnamed>' (8) panicked at src/lib.rs:27:31:",
      'nobody came',
      '',
      "thread 'tests::waits' (7) panicked at src/lib.rs:27:61:",
      'called `Result::unwrap()` on an `Err` value: Any { .. }',
    );
    expect(only(log)).toMatchObject({ message: 'nobody came', line: 27 });
  });

  it.each([
    ['an error that is returned', ['output', 'Error: "no price"'], 'Error: "no price"', null],
    [
      'a panic that did not come',
      ['note: test did not panic as expected at src/lib.rs:63:8'],
      'note: test did not panic as expected at src/lib.rs:63:8',
      63,
    ],
    ['a panic in a dependency', ["thread 'a' (7) panicked at /root/x/src/lib.rs:1:1:", 'no'], 'no', null],
  ])('given %s, then that is told', (_what, told, message, line) => {
    expect(only(story('a', ...told))).toMatchObject({ message, line });
  });

  it('given a panic with other words than those wanted, then both are told', () => {
    const log = story(
      'a',
      "thread 'a' (7) panicked at src/lib.rs:1:1:",
      'something',
      'stack backtrace:',
      ...Array.from({ length: 200 }, (_, at) => `  ${at}: frame`),
      'note: panic did not contain expected string',
      '      panic message: "something"',
      ' expected substring: "nothing"',
    );
    expect(only(log)?.compared).toEqual({ expected: '"nothing"', actual: '"something"' });
  });

  it('given a documented example, then its place is that of its panic, or else the line it begins at', () => {
    const name = 'src/lib.rs - total (line 3)';
    const told = (place: string) => story(name, 'stderr:', '', `thread 'main' (7) panicked at ${place}:`, 'no');
    expect(only(told('src/lib.rs:5:1'))).toMatchObject({ path: 'src/lib.rs', line: 5, message: 'no' });
    expect(only(told('src/lib.rs:3:1'))).toMatchObject({ path: 'src/lib.rs', line: 3 });
    expect(only(told('/tmp/rustdoctestX/doctest_bundle_2024.rs:6:1'))).toMatchObject({ path: 'src/lib.rs', line: 3 });
    const compiler = ['error[E0308]: mismatched types', '  --> src/lib.rs:4:14', "Couldn't compile the test."];
    expect(only(story(name, ...compiler))).toMatchObject({ path: 'src/lib.rs', line: 4 });
  });

  it('given a workspace in a folder of the repository, then places are told from the root of the repository', () => {
    const compiled = '   Compiling cart v0.1.0 (/workspace/rust/cart)\n';
    const told = (place: string) => compiled + story('a', `thread 'a' (7) panicked at ${place}:1:1:`, 'no');
    expect(only(told('cart/src/lib.rs'))?.path).toBe('rust/cart/src/lib.rs');
    expect(only(told('/rustc/0/library/core/src/lib.rs'))?.path).toBeNull();
  });

  it('given tests of one name in two crates, then both are told, each of its crate, and the totals are summed', () => {
    const program = (crate: string) =>
      `     Running unittests src/lib.rs (target/debug/deps/${crate}-c3ac867765dab7e9)\n`;
    const panic = (path: string) => [`thread 'tests::a' (7) panicked at ${path}:1:1:`, 'no'];
    const log = `${program('cart')}${story('tests::a', ...panic('cart/src/lib.rs'))}${program('money')}${story('tests::a', ...panic('money/src/lib.rs'))}`;
    expect(found(log)?.failed.map(({ suite, path }) => [suite, path])).toEqual([
      ['cart', 'cart/src/lib.rs'],
      ['money', 'money/src/lib.rs'],
    ]);
    expect(found(log)?.totals).toMatchObject({ passed: 4, failed: 2 });
  });

  it('given a program that did not come to its end, then the tests that failed before are told', () => {
    expect(found('running 2 tests\ntest tests::a - should panic ... FAILED\n')?.failed).toMatchObject([
      { name: 'tests::a', message: '', path: null, lines: { from: 2, to: 2 } },
    ]);
  });

  it('given a listing of something else, then its lines are no tests', () => {
    expect(found('failures:\n    the moon\ntest of courage ... FAILED\n')).toBeNull();
  });

  it('given tests that all passed, or a program that ended before it said so, then there is nothing to tell', () => {
    expect(found('test tests::a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n')).toBeNull();
    expect(found('running 1 test\nerror: test failed, to rerun pass `--lib`\n')).toBeNull();
  });
});
