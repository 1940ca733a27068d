import { linearPattern } from '../text/linear-pattern.ts';
import { locationOf } from '../text/locations.ts';
import type { LogLine } from '../text/log-lines.ts';
import { FAILED_TESTS_MAX, STORY_LINES_MAX, type FailedTest, type TestFindings } from './failed-test.ts';

const FAILED = linearPattern('^ *--- FAIL: (?P<name>\\S+)');
const SAID = linearPattern('^\\s+(?P<path>[^\\s:]+\\.go):(?P<line>[0-9]{1,8}): (?P<message>.*)$');
const PACKAGE = linearPattern('^FAIL\\s+(?P<name>\\S+)\\s');
const VALUES = linearPattern('(?i)\\bgot:? (?P<actual>.+?)[,;] (?:want|expected):? (?P<expected>.+)$');

/** Failed tests of `go test`. A test that failed only because a subtest did is not listed besides the subtest. */
export function goTestFindings(lines: readonly LogLine[], within: string): TestFindings | null {
  const failed: FailedTest[] = [];
  for (const [at, line] of lines.entries()) {
    if (failed.length >= FAILED_TESTS_MAX) break;
    const name = line.text.includes('--- FAIL: ') ? FAILED.find(line.text)?.['name'] : undefined;
    if (name !== undefined) failed.push(testAt(lines, at, name, within));
  }
  if (failed.length === 0) return null;
  const parents = new Set(failed.flatMap(({ name }) => prefixesOf(name)));
  return { format: 'go-test', tool: 'go test', failed: failed.filter(({ name }) => !parents.has(name)), totals: null };
}

function prefixesOf(name: string): string[] {
  const parts = name.split('/').slice(0, 10);
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'));
}

function testAt(lines: readonly LogLine[], at: number, name: string, within: string): FailedTest {
  const first = lines[at]?.number ?? 1;
  const story: LogLine[] = [];
  for (const line of lines.slice(at + 1, at + 1 + STORY_LINES_MAX)) {
    if (!line.text.startsWith(' ') && !line.text.startsWith('\t')) break;
    if (line.text.includes('--- ')) break;
    story.push(line);
  }
  const said = story.map(({ text }) => SAID.find(text)).find((found) => found !== null);
  const location = said === undefined ? null : locationOf(said['path'] ?? '', said['line'], within);
  const message = said?.['message'] ?? '';
  const values = VALUES.find(message);
  const [actual, expected] = [values?.['actual'], values?.['expected']];
  return {
    name,
    suite: packageAfter(lines, at),
    message,
    path: location?.path ?? null,
    line: location?.line ?? null,
    compared: actual === undefined || expected === undefined ? null : { actual, expected },
    lines: { from: first, to: story.at(-1)?.number ?? first },
  };
}

/** The package is named once, after the tests that failed in it. */
function packageAfter(lines: readonly LogLine[], at: number): string {
  for (const { text } of lines.slice(at, at + STORY_LINES_MAX * 4)) {
    const name = text.startsWith('FAIL\t') || text.startsWith('FAIL ') ? PACKAGE.find(text)?.['name'] : undefined;
    if (name !== undefined) return name;
  }
  return '';
}
