import type { Confidence, FailureClass } from '@delta-ci/contracts';

/**
 * A rule is data: one kind of line that says why something failed. Templates name groups of the pattern as `{group}`.
 */
export interface LogRule {
  readonly id: string;
  /** Cheap substrings: a line without any of them is not tried. */
  readonly hints: readonly string[];
  /** RE2 syntax, tried on one line. Groups `path` and `line` become the location. */
  readonly pattern: string;
  readonly class: FailureClass;
  readonly category: string;
  readonly confidence: Confidence;
  /** How near to the root cause such a line is: the highest wins, the first line among equals. */
  readonly precedence: number;
  readonly headline: string;
  readonly explanation: string;
  readonly nextStep: string;
  /** Exit codes it may go with; any when left out. */
  readonly exitCodes?: readonly number[];
  /** Lines that look alike and mean something else, RE2 syntax. */
  readonly confusers?: readonly string[];
  readonly examples: { readonly matching: readonly string[]; readonly notMatching: readonly string[] };
}

/** Nearness to the root cause, from the machine down to the noise around it. */
export const NEARNESS = {
  machine: 90,
  fetching: 85,
  tool: 80,
  setup: 75,
  compilation: 70,
  suite: 60,
  lint: 55,
  test: 50,
  crash: 45,
  assertion: 40,
} as const;
