import type { LogLine } from '../text/log-lines.ts';
import { cargoTestFindings } from './cargo-test.ts';
import type { TestFindings } from './failed-test.ts';
import { goTestFindings } from './go-test.ts';
import { jestFindings } from './jest.ts';
import { mochaFindings } from './mocha.ts';
import { nodeTestFindings } from './node-test.ts';
import { pytestFindings } from './pytest.ts';
import { tapFindings } from './tap.ts';
import { unittestFindings } from './unittest.ts';

/** Node.js prints the same totals with both of its reporters: TAP goes first, which tells itself apart by its heading. */
const FORMATS = [
  tapFindings,
  nodeTestFindings,
  jestFindings,
  goTestFindings,
  mochaFindings,
  cargoTestFindings,
  unittestFindings,
  pytestFindings,
];

/** Substrings of the lines by which the formats find their way. */
export const TEST_HINTS: readonly string[] = [
  '✖ failing tests:',
  'test at ',
  'not ok ',
  '● ',
  ' FAIL ',
  '--- FAIL: ',
  ' failing\n',
  ' stdout ----\n',
  ' ... FAILED\n',
  '\nFAIL: ',
  '\nERROR: ',
  ' short test summary info ',
  '\nE   ',
];

/** What the log says about failed tests, by the first format that recognises any. */
export function findFailedTests(lines: readonly LogLine[], within: string): TestFindings | null {
  for (const format of FORMATS) {
    const findings = format(lines, within);
    if (findings !== null) return findings;
  }
  return null;
}
