import type { LineRange } from '../evidence.ts';

/** Two values that a test compared, as printed: what it wanted and what it got, where the format tells them apart. */
export type Compared =
  { readonly expected: string; readonly actual: string } | { readonly left: string; readonly right: string };

/** One failed test, as a test report or the log tells of it. Texts are raw: whoever shows them scrubs them. */
export interface FailedTest {
  readonly name: string;
  readonly suite: string;
  readonly message: string;
  readonly path: string | null;
  readonly line: number | null;
  /** Null when it was no comparison, or when the message itself has both values. */
  readonly compared: Compared | null;
  /** Where the log tells of it; null for tests of a test report. */
  readonly lines: LineRange | null;
}

/** How the tests of an attempt went, with the places in the log that say so: none for those of a test report. */
export interface TestTotals {
  readonly passed: number;
  readonly failed: number;
  readonly lines: readonly LineRange[];
}

/** What one format made of the log. */
export interface TestFindings {
  readonly format: 'node-test' | 'tap' | 'go-test' | 'jest' | 'mocha' | 'cargo-test' | 'unittest' | 'pytest' | 'junit';
  /** The format's name in a sentence. */
  readonly tool: string;
  readonly failed: readonly FailedTest[];
  readonly totals: TestTotals | null;
}

/** Failed tests that are listed; more are only counted. The contract's own bound. */
export const FAILED_TESTS_MAX = 100;
/** Lines of one test's story: assertion, values and stack fit many times. */
export const STORY_LINES_MAX = 80;
