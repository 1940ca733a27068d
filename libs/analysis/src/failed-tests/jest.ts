import { linearPattern } from '../text/linear-pattern.ts';
import { locationIn, locationOf } from '../text/locations.ts';
import type { LogLine } from '../text/log-lines.ts';
import {
  FAILED_TESTS_MAX,
  STORY_LINES_MAX,
  type FailedTest,
  type TestFindings,
  type TestTotals,
} from './failed-test.ts';

const SUITE = linearPattern('^ ?FAIL +(?P<path>[^\\s>]+\\.[cm]?[jt]sx?)(?: > (?P<name>.+?))?(?: \\([0-9.]+ m?s\\))?$');
const TITLE = linearPattern('^  ● (?P<name>.+ › .+|.+)$');
const EXPECTED = linearPattern('^\\s*(?:- )?Expected(?: length| value)?:? +(?P<value>.+)$');
const RECEIVED = linearPattern('^\\s*(?:\\+ )?(?:Received|Actual)(?: length| value)?:? +(?P<value>.+)$');
const TOTALS = linearPattern(
  '^ *Tests:? +(?:(?P<failed>[0-9]{1,9}) failed)?[,| ]*(?:[0-9]+ skipped)?[,| ]*(?:(?P<passed>[0-9]{1,9}) passed)?',
);

/** Failed tests of Jest (`● suite › test` below `FAIL file`) and Vitest (`FAIL file > suite > test`). */
export function jestFindings(lines: readonly LogLine[], within: string): TestFindings | null {
  const failed: FailedTest[] = [];
  const seen = new Set<string>();
  let path = '';
  for (const [at, line] of lines.entries()) {
    if (failed.length >= FAILED_TESTS_MAX) break;
    const suite = line.text.includes('FAIL ') ? SUITE.find(line.text) : null;
    path = suite?.['path'] ?? path;
    const title = line.text.startsWith('  ● ') && path !== '' ? TITLE.find(line.text)?.['name'] : undefined;
    const name = suite?.['name'] ?? title;
    if (name === undefined || name.startsWith('Console') || seen.has(`${path}\n${name}`)) continue;
    seen.add(`${path}\n${name}`);
    failed.push(testAt(lines, at, { path, name }, within));
  }
  return failed.length === 0 ? null : { format: 'jest', tool: 'Jest or Vitest', failed, totals: totalsOf(lines) };
}

function testAt(
  lines: readonly LogLine[],
  at: number,
  { path, name }: { path: string; name: string },
  within: string,
): FailedTest {
  const first = lines[at]?.number ?? 1;
  const story = storyFrom(lines, at + 1);
  const suite = locationOf(path, undefined, within);
  const frame = story.map(({ text }) => (isFrame(text) ? locationIn(frameText(text), within) : null));
  const own = frame.find((place) => place !== null && place.path === suite?.path) ?? null;
  return {
    name,
    suite: suite?.path ?? path,
    message: messageOf(story),
    path: suite?.path ?? null,
    line: own?.line ?? null,
    compared: comparedIn(story),
    lines: { from: first, to: story.at(-1)?.number ?? first },
  };
}

function storyFrom(lines: readonly LogLine[], from: number): LogLine[] {
  const story: LogLine[] = [];
  for (const line of lines.slice(from, from + STORY_LINES_MAX)) {
    const { text } = line;
    if (text.startsWith('  ● ') || text.startsWith('Test Suites:') || /^ ?(?:FAIL|PASS) /.test(text)) break;
    story.push(line);
  }
  while (story.at(-1)?.text === '') story.pop();
  return story;
}

function isFrame(text: string): boolean {
  const plain = text.trimStart();
  return plain.startsWith('at ') || plain.startsWith('❯ ');
}

const frameText = (text: string): string => text.slice(Math.max(0, text.lastIndexOf('(') + 1));

function messageOf(story: readonly LogLine[]): string {
  const message: string[] = [];
  for (const { text } of story) {
    const plain = text.trim();
    if (isFrame(text) || /^(?:> )?[0-9]+ \|/.test(plain)) break;
    if (plain !== '') message.push(plain);
  }
  return message.join('\n');
}

function comparedIn(story: readonly LogLine[]): FailedTest['compared'] {
  const valueBy = (pattern: typeof EXPECTED): string | undefined =>
    story.map(({ text }) => pattern.find(text)?.['value']).find((value) => value !== undefined);
  const [expected, actual] = [valueBy(EXPECTED), valueBy(RECEIVED)];
  return expected === undefined || actual === undefined ? null : { expected, actual };
}

function totalsOf(lines: readonly LogLine[]): TestTotals | null {
  for (const { text, number } of lines) {
    if (!text.trimStart().startsWith('Tests')) continue;
    const found = TOTALS.find(text);
    if (found?.['failed'] === undefined) continue;
    const [failed, passed] = [Number(found['failed']), Number(found['passed'] ?? 0)];
    return { failed, passed, lines: [{ from: number, to: number }] };
  }
  return null;
}
