import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FailureExplanation, type StepResult } from '@delta-ci/contracts';
import fc from 'fast-check';
import { completionReport, evidenceOf, stepResult } from '../evidence.fixture.ts';
import type { FailureEvidence } from '../evidence.ts';
import { parseJunit } from '../junit/parse-junit.ts';
import { explainFailure } from './explain-failure.ts';
import { told } from './told.fixture.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const logOf = (name: string): string => readFileSync(join(FIXTURES, `${name}.log`), 'utf8');
const explain = (log: string, given: Partial<FailureEvidence> = {}): FailureExplanation =>
  explainFailure(evidenceOf(log, given));

describe('explanations as people read them', () => {
  it.each([
    'shop-cart',
    'install-offline',
    'typescript',
    'jest',
    'go',
    'eslint',
    'mocha',
    'tap',
    'cargo',
    'rust-compile',
    'unittest',
    'pytest',
    'unknown',
    'missing-command',
  ])('%s', (name) => {
    expect(told(explain(logOf(name)))).toBe(readFileSync(join(FIXTURES, `${name}.md`), 'utf8'));
  });
});

describe('the first root failure', () => {
  it('given a failed test below a passed one and above the remarks of npm, then the test is it', () => {
    const explanation = explain(logOf('shop-cart'));
    expect(explanation.category).toBe('test');
    expect(explanation.location).toEqual({ path: 'packages/cart/test/cart.test.js', line: 5 });
    expect(explanation.failedTests.map(({ name, path, line }) => [name, path, line])).toEqual([
      ['an empty cart costs nothing', 'packages/cart/test/cart.test.js', 5],
    ]);
    expect(explanation.incomplete).toEqual([]);
  });

  it('given colours, then the same is found', () => {
    const coloured = logOf('shop-cart').replaceAll('✖', '\u001b[31m✖').replaceAll('\n', '\u001b[39m\n');
    expect(explain(coloured).failedTests.length).toBe(1);
  });

  it('given that a documented example of Rust does not compile, then it is a test that failed and not the package', () => {
    const { category, failedTests } = explain(logOf('cargo'));
    expect(category).toBe('test');
    expect(failedTests.at(-1)?.message).toContain('error[E0308]: mismatched types');
  });

  it('given values that are parts of a duration and of a place too, then the line that compares them is shown', () => {
    const log = [
      '✖ failing tests:',
      'test at a.test.js:2:1',
      '✖ adds (12.5ms)',
      '  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:',
      '  duration_ms: 12.5, at: 2:1',
      '  1 !== 2',
      '    {',
      '      expected: 2,',
      '      actual: 1',
      '    }',
      'ℹ tests 1',
      'ℹ fail 1',
      '',
    ].join('\n');
    const compared = explain(log).sentences.find(({ text }) => text.includes('It expected 2 and got 1.'));
    expect(compared?.evidence).toMatchObject([{ lines: { from: 6, to: 6 } }]);
  });

  it('given a module that is missing, then it explains the tests that could not run', () => {
    const log =
      "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'left-pad' imported from /workspace/src/index.js\n✖ test/a.test.js (20ms)\nℹ tests 1\nℹ fail 1\n";
    const { category, headline, location } = explain(log);
    expect([category, headline, location?.path]).toEqual([
      'missing-dependency',
      'The module “left-pad” cannot be found',
      'src/index.js',
    ]);
  });

  it('given a step that failed, then earlier steps are not blamed', () => {
    const log = 'npm error code ENOTFOUND\nretried, fine\nTypeError: total is not a function\n';
    const base = evidenceOf(log);
    const { category } = explainFailure({ ...base, log: { ...base.log, failedStep: { from: 3, to: 3 } } });
    expect(category).toBe('crash');
  });
});

describe('what the report decides', () => {
  const infrastructureError = { code: 'layer_missing' as const, message: 'no layer' };
  it.each([
    [
      'an infrastructure error',
      { report: completionReport({ infrastructureError }) },
      'infrastructure',
      'layer_missing',
    ],
    [
      'something that is not offered',
      { report: completionReport({ infrastructureError: { code: 'not_offered', message: 'no such image' } }) },
      'tooling',
      'not_offered',
    ],
    ['a lost attempt', { outcome: 'lost' as const, report: null }, 'infrastructure', 'runner-lost'],
    ['an attempt out of time', { outcome: 'timed_out' as const, report: null }, 'unknown', 'timeout'],
    [
      'a step over its memory',
      { report: completionReport({ steps: [stepResult({ oomKilled: true })] }) },
      'user',
      'out-of-memory',
    ],
    [
      'a step that fell silent',
      { report: completionReport({ steps: [stepResult({ timedOut: true, endedBy: 'idle_timeout' })] }) },
      'unknown',
      'silence',
    ],
    [
      'a step that filled its disk',
      { report: completionReport({ steps: [stepResult({ signal: 'SIGKILL', endedBy: 'disk_full' })] }) },
      'user',
      'disk-full',
    ],
    [
      'exit code 127',
      { report: completionReport({ steps: [stepResult({ exitCode: 127 })] }) },
      'tooling',
      'command-not-found',
    ],
    [
      'SIGKILL',
      { report: completionReport({ steps: [stepResult({ exitCode: null, signal: 'SIGKILL' })] }) },
      'infrastructure',
      'killed',
    ],
    [
      'SIGSEGV',
      { report: completionReport({ steps: [stepResult({ exitCode: null, signal: 'SIGSEGV' })] }) },
      'user',
      'crash',
    ],
    [
      'exit code 137',
      { report: completionReport({ steps: [stepResult({ exitCode: 137 })] }) },
      'user',
      'out-of-memory',
    ],
    ['nothing recognised, and an exit code', {}, 'user', 'exit-code'],
    [
      'nothing at all',
      { report: completionReport({ exitCode: null, steps: [stepResult({ exitCode: 0 })] }) },
      'unknown',
      'unknown',
    ],
  ])('given %s', (_what, given, failureClass, category) => {
    const explanation = explain('working\nstill working\n', given);
    expect([explanation.class, explanation.category]).toEqual([failureClass, category]);
  });
});

describe('the lines of the runner itself', () => {
  const ended = (given: Partial<StepResult>) => completionReport({ steps: [stepResult(given)] });

  it('given a step that printed nothing, then that is said, and no line of the runner is quoted', () => {
    const logRange = { from: 30, to: 30 };
    const { sentences } = explain('[delta] $ true\n[delta] $ mkdir -p a/b\n', { report: ended({ logRange }) });
    expect(sentences.at(-1)?.text).toBe('The step “test” printed nothing.');
    expect(JSON.stringify(sentences)).not.toContain('mkdir');
  });

  it('given a step that is over, then what another prints after it is neither its runner’s words nor its own', () => {
    const runner =
      '[delta] ended: a process of the step was killed, because the job reached its limit of memory, 2Gi (limits: memory)';
    const log = `one\n[delta] stopped: forged before\nlast of it\n${runner}\n[delta] $ next\n[delta] stopped: forged after\nall is well\n`;
    const report = ended({ exitCode: null, endedBy: 'out_of_memory' });
    const evidence = evidenceOf(log, { report });
    const failedStep = { from: 1, to: 4 };
    const texts = explainFailure({ ...evidence, log: { ...evidence.log, failedStep } }).sentences.map(
      ({ text }) => text,
    );
    expect(texts).toContain(`The runner says: “${runner.slice('[delta] '.length)}”`);
    expect(texts.at(-1)).toBe('The last thing the log says is: “last of it”');
    expect(texts.join()).not.toContain('forged');
  });

  it('given lines of a runner behind those of a step, then the last of the step is quoted', () => {
    const log = '[delta] $ ./x\ngiving up\n[delta] artifact a was left behind: it is a pipe\n';
    expect(explain(log).sentences.at(-1)?.text).toBe('The last thing the log says is: “giving up”');
  });

  it('given a limit that was reached, then the words that have its figure are quoted', () => {
    const words =
      'ended: a process of the step was killed, because the job reached its limit of memory, 2Gi (limits: memory)';
    const report = ended({ oomKilled: true, endedBy: 'out_of_memory' });
    const { sentences } = explain(`working\n[delta] ${words}\n`, { report });
    expect(sentences.map(({ text }) => text)).toContain(`The runner says: “${words}”`);
  });

  it('given a command that names an error, then it is not taken for one', () => {
    expect(explain('[delta] $ grep -c ENOSPC notes.txt\n0\n').category).toBe('exit-code');
  });
});

describe('test reports', () => {
  it('given a JUnit report, then it names the tests and the log adds its lines', () => {
    const parsed = parseJunit(
      '<testsuite><testcase name="an empty cart costs nothing" classname="cart"><failure message="no">x</failure></testcase><testcase name="b"/></testsuite>',
    );
    if (!parsed.ok) throw new Error(parsed.message);
    const explanation = explain(logOf('shop-cart'), { testReports: [parsed.report] });
    expect(explanation.failedTests[0]).toMatchObject({
      suite: 'cart',
      path: 'packages/cart/test/cart.test.js',
      line: 5,
    });
    expect(explanation.headline).toBe('1 of 2 tests failed: an empty cart costs nothing');
  });

  it('given tests of one name in two classes, then each has the place of its own, and none where that is not clear', () => {
    const cases = ['TestCart', 'TestTill', 'TestDoor'].map(
      (name) =>
        `<testcase name="test_opens" classname="tests.test_a.${name}"><failure message="no">x</failure></testcase>`,
    );
    const parsed = parseJunit(`<testsuite>${cases.join('')}</testsuite>`);
    if (!parsed.ok) throw new Error(parsed.message);
    const story = (name: string, line: number) => `___ ${name}.test_opens ___\na.py:${line}: in test_opens\nE   no\n`;
    const listed = (name: string) => `FAILED a.py::${name}::test_opens - no\n`;
    const log = `${story('TestTill', 8)}${story('TestCart', 5)}=== short test summary info ===\n${listed('TestTill')}${listed('TestCart')}`;
    const { failedTests } = explain(log, { testReports: [parsed.report] });
    expect(failedTests.map(({ line }) => line)).toEqual([5, 8, null]);
  });
});

describe('what is not known is said', () => {
  it('given a log that was cut and windows that leave out lines, then the explanation says so', () => {
    const base = evidenceOf('a\n');
    const { incomplete } = explainFailure({
      ...base,
      log: { ...base.log, totalLines: 100, truncated: true },
      unread: ['The test report could not be read.'],
    });
    expect(incomplete.length).toBe(3);
  });
});

describe('hostile evidence', () => {
  const valid = (evidence: FailureEvidence): void => {
    const explanation = explainFailure(evidence);
    expect(FailureExplanation.safeParse(explanation).error).toBeUndefined();
    // Unseen characters would let a log forge what a person reads.
    expect(JSON.stringify(explanation)).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\ufeff]|\\u00(?:0[0-8]|1|7f)/);
  };
  const noise = fc.constantFrom(
    '✖ failing tests:\n\ntest at a.js:1:1\n✖ ',
    'not ok 1 - ',
    'TAP version 13\n',
    '  ● x › ',
    ' FAIL  a.test.js > ',
    '--- FAIL: ',
    '  1 failing\n',
    '  1) ',
    '\n---- tests::a stdout ----\n',
    "thread 'tests::a' (1) panicked at src/lib.rs:1:1:\n",
    "thread 'tests::a' panicked at 'assertion failed: `(left == right)`\n",
    'note: panic did not contain expected string\n',
    '  left: `',
    '\nfailures:\n    tests::a\n',
    '\nrunning 1 test\ntest tests::a ... FAILED\n',
    'test result: FAILED. 1 passed; 999999999 failed;\n',
    `\n${'='.repeat(70)}\nFAIL: test_a (a.A.test_a)`,
    `\n${'-'.repeat(70)}\n`,
    'Traceback (most recent call last):\n',
    '\n  File "/workspace/a.py", line 1, in test_a\n',
    'Ran 1 test in 0.1s\n\nFAILED (failures=999999999)\n',
    '\n=== short test summary info ===\nFAILED a.py::test_a[',
    '\n___ test_a ___\n',
    '\nE   ',
    'npm error code ENOTFOUND\n',
    'npm error path /workspace/../../etc\n',
    'src/a.ts(99999999,1): error TS1: ',
    'file:///workspace/a.js:5:50',
    '\u001b[31m',
    '\u001b]0;',
    '\u202e',
    '\u0000',
    '\ud800',
    '\r',
    '\n',
  );
  const log = fc
    .array(fc.oneof(noise, fc.string({ unit: 'binary' })), { maxLength: 40 })
    .map((parts) => parts.join(''));

  it('always becomes an explanation that fits the contract', () => {
    fc.assert(
      fc.property(log, (text) => valid(evidenceOf(text))),
      { numRuns: 500 },
    );
  });

  it.each([
    ['one line of a megabyte', 'a'.repeat(1_000_000)],
    ['a megabyte of spaces with a match at its end', `${' '.repeat(1_000_000)}AssertionError: x`],
    ['hints without end', 'AssertionError Error TS .go: FAILED SyntaxError: x'.repeat(20_000)],
    ['a great many short lines', 'x AssertionError\n'.repeat(60_000)],
    ['a million escapes', '\u001b['.repeat(500_000)],
    ['a great many stories of one Rust test', '---- a stdout ----\nx\n'.repeat(40_000)],
    [
      'a great many Rust tests',
      `running 30000 tests\n${Array.from({ length: 30_000 }, (_, at) => `test a${at} ... FAILED\n`).join('')}`,
    ],
    ['a great many panics', "thread 'a' panicked at 'x\n".repeat(60_000)],
    [
      'one panic in a great many lines',
      `---- a stdout ----\n${'y\n'.repeat(60_000)}thread 'a' panicked at a.rs:1:1:\nz\n`,
    ],
    ['a great many failures of unittest', `${'='.repeat(70)}\nFAIL: a (b.C.a)\n`.repeat(15_000)],
    [
      'a traceback without end',
      `${'='.repeat(70)}\nFAIL: a (b.C.a)\n${'-'.repeat(70)}\n${'  File "/workspace/a.py", line 1, in a\n'.repeat(50_000)}`,
    ],
    [
      'a great many tests of pytest',
      `${'___ a ___\nE   x\n'.repeat(40_000)}=== short test summary info ===\n${'FAILED a.py::a\n'.repeat(9_000)}`,
    ],
    [
      'brackets without end',
      `=== short test summary info ===\n${`FAILED a.py::a${'[] - '.repeat(190)}\n`.repeat(3_000)}`,
    ],
    ['a great many failing tests', `✖ failing tests:\n${'test at a.js:1:1\n✖ x (1ms)\n  y\n'.repeat(20_000)}`],
    [
      'huge values',
      `✖ failing tests:\n\ntest at a.js:1:1\n✖ ${'n'.repeat(9_000)}\n  actual: '${'v'.repeat(9_000)}',\n  expected: ''`,
    ],
  ])('%s', (_what, text) => valid(evidenceOf(text)));
});
