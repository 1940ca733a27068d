import type { LineRange } from '../evidence.ts';

/** One failed test, as a test report or the log tells of it. Texts are raw: whoever shows them scrubs them. */
export interface FailedTest {
  readonly name: string;
  readonly suite: string;
  readonly message: string;
  readonly path: string | null;
  readonly line: number | null;
  /** What the test wanted and what it got, as printed; null when it was no comparison. */
  readonly compared: { readonly expected: string; readonly actual: string } | null;
  /** Where the log tells of it; null for tests of a test report. */
  readonly lines: LineRange | null;
}

/** How the tests of an attempt went, with the place in the log that says so. */
export interface TestTotals {
  readonly passed: number;
  readonly failed: number;
  readonly lines: LineRange | null;
}

/** What one format made of the log. */
export interface TestFindings {
  readonly format: 'node-test' | 'tap' | 'go-test' | 'jest' | 'mocha' | 'junit';
  /** The format's name in a sentence. */
  readonly tool: string;
  readonly failed: readonly FailedTest[];
  readonly totals: TestTotals | null;
}

/** Failed tests that are listed; more are only counted. The contract's own bound. */
export const FAILED_TESTS_MAX = 100;
/** Lines of one test's story: assertion, values and stack fit many times. */
export const STORY_LINES_MAX = 80;
