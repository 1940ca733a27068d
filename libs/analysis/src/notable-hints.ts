import { EGRESS_HINTS } from './egress/egress-causes.ts';
import { TEST_HINTS } from './failed-tests/find-failed-tests.ts';
import { RULE_HINTS } from './rules/match-rules.ts';

/** Substrings of every line of interest: what to look for between the head and the tail of a long log. */
export const NOTABLE_HINTS: readonly string[] = [...new Set([...TEST_HINTS, ...RULE_HINTS, ...EGRESS_HINTS])];
