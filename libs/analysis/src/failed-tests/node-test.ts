import { linearPattern } from '../text/linear-pattern.ts';
import { locationIn, locationOf, type Location } from '../text/locations.ts';
import type { LogLine } from '../text/log-lines.ts';
import {
  FAILED_TESTS_MAX,
  STORY_LINES_MAX,
  type FailedTest,
  type TestFindings,
  type TestTotals,
} from './failed-test.ts';

const HEADING = '✖ failing tests:';
const PLACE = linearPattern('^test at (?P<path>.+?):(?P<line>[0-9]{1,8}):[0-9]{1,8}$');
const TITLE = linearPattern('^✖ (?P<name>.+?)(?: \\([0-9.]+ms\\))?$');
const TOTAL = linearPattern('^(?:ℹ|#) (?P<what>tests|pass|fail) (?P<count>[0-9]{1,9})$');
const VALUE = linearPattern('^\\s+(?P<what>actual|expected): (?P<value>.+?),?$');

/**
 * Failed tests of `node --test`: its spec reporter lists them at the end, each under the place it stands at.
 * @param within directory of the package whose tests ran: places are relative to it.
 */
export function nodeTestFindings(lines: readonly LogLine[], within: string): TestFindings | null {
  const failed: FailedTest[] = [];
  let listing = false;
  for (const [at, line] of lines.entries()) {
    if (line.text === HEADING) listing = true;
    const place = listing && line.text.startsWith('test at ') ? PLACE.find(line.text) : null;
    if (place === null || failed.length >= FAILED_TESTS_MAX) continue;
    const test = testAt(lines, at, locationOf(place['path'] ?? '', place['line'], within), within);
    if (test !== null) failed.push(test);
  }
  const totals = nodeTestTotals(lines);
  return failed.length === 0 && (totals === null || totals.failed === 0)
    ? null
    : { format: 'node-test', tool: 'node --test', failed, totals };
}

function testAt(lines: readonly LogLine[], at: number, place: Location | null, within: string): FailedTest | null {
  const first = lines[at];
  const name = TITLE.find(lines[at + 1]?.text ?? '')?.['name'];
  if (first === undefined || name === undefined) return null;
  const story = storyFrom(lines, at + 2);
  const location = place === null ? null : moreExact(place, story, within);
  return {
    name,
    suite: location?.path ?? '',
    message: messageOf(story),
    path: location?.path ?? null,
    line: location?.line ?? null,
    compared: comparedIn(story),
    lines: { from: first.number, to: story.at(-1)?.number ?? first.number + 1 },
  };
}

/** The story of a test: what is indented below its title. */
function storyFrom(lines: readonly LogLine[], from: number): LogLine[] {
  const story: LogLine[] = [];
  for (const line of lines.slice(from, from + STORY_LINES_MAX)) {
    if (line.text !== '' && !line.text.startsWith('  ')) break;
    story.push(line);
  }
  while (story.at(-1)?.text === '') story.pop();
  return story;
}

/** A stack names the file from the root of the repository, and with it the package the relative place belongs to. */
function moreExact(place: Location, story: readonly LogLine[], within: string): Location {
  const named = within === '' ? place.path : place.path.slice(within.length + 1);
  for (const { text } of story) {
    if (!text.includes('/workspace/')) continue;
    const frame = locationIn(text, within);
    if (frame !== null && (frame.path === named || frame.path.endsWith(`/${named}`))) {
      return { path: frame.path, line: place.line };
    }
  }
  return place;
}

function messageOf(story: readonly LogLine[]): string {
  const message: string[] = [];
  for (const { text } of story) {
    const plain = text.trim();
    if (plain.startsWith('at ') || plain.startsWith('{')) break;
    if (plain !== '') message.push(plain);
  }
  return message.join('\n');
}

function comparedIn(story: readonly LogLine[]): FailedTest['compared'] {
  const values: Partial<Record<string, string>> = {};
  for (const { text } of story) {
    if (!text.includes('actual: ') && !text.includes('expected: ')) continue;
    const found = VALUE.find(text);
    if (found?.['what'] !== undefined) values[found['what']] = found['value'] ?? '';
  }
  const { actual, expected } = values;
  return actual === undefined || expected === undefined ? null : { actual, expected };
}

/** The totals `node --test` prints with either reporter. Sums over all runs of the command in this log: a job may test several packages. */
export function nodeTestTotals(lines: readonly LogLine[]): TestTotals | null {
  const counts = { tests: 0, pass: 0, fail: 0 };
  let [from, to] = [0, 0];
  for (const { text, number } of lines) {
    if (!text.startsWith('ℹ ') && !text.startsWith('# ')) continue;
    const found = TOTAL.find(text);
    const what = found?.['what'];
    if (what !== 'tests' && what !== 'pass' && what !== 'fail') continue;
    counts[what] += Number(found?.['count'] ?? 0);
    if (from === 0) from = number;
    to = number;
  }
  return from === 0 ? null : { passed: counts.pass, failed: counts.fail, lines: [{ from, to }] };
}
