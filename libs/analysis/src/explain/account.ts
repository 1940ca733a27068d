import type { FailureExplanation } from '@delta-ci/contracts';
import type { EgressCause } from '../egress/egress-causes.ts';
import type { FailureEvidence } from '../evidence.ts';
import type { TestFindings } from '../failed-tests/failed-test.ts';
import type { RuleMatch } from '../rules/match-rules.ts';
import type { Location } from '../text/locations.ts';
import type { LogLine } from '../text/log-lines.ts';
import type { ReportFact } from './report-facts.ts';
import type { Sentence } from './sentences.ts';

/** The part of an explanation that depends on what explains it; the rest is the same for all. */
export interface Account {
  readonly class: FailureExplanation['class'];
  readonly category: string;
  readonly confidence: FailureExplanation['confidence'];
  readonly headline: string;
  readonly sentences: readonly Sentence[];
  readonly location: Location | null;
  readonly nextStep: string;
}

/** Everything that was found, for whoever writes the account. */
export interface Findings {
  readonly evidence: FailureEvidence;
  readonly lines: readonly LogLine[];
  readonly within: string;
  readonly fact: ReportFact;
  readonly matches: readonly RuleMatch[];
  readonly tests: TestFindings | null;
  /** Connections of the failed step that came to nothing, those its programs speak of first. */
  readonly egress: readonly EgressCause[];
}
