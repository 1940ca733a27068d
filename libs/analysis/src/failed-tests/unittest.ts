import { linearPattern, type Groups } from '../text/linear-pattern.ts';
import { locationOf, type Location } from '../text/locations.ts';
import type { LogLine } from '../text/log-lines.ts';
import {
  FAILED_TESTS_MAX,
  STORY_LINES_MAX,
  type FailedTest,
  type TestFindings,
  type TestTotals,
} from './failed-test.ts';

const ABOVE_HEADING = '='.repeat(70);
const BELOW_HEADING = '-'.repeat(70);
/** The heading may be followed by the first line of the test's own description. */
const HEADING_LINES_MAX = 3;
const TRACEBACK = 'Traceback (most recent call last):';

const HEADING = linearPattern(
  '^(?P<kind>FAIL|ERROR|UNEXPECTED SUCCESS): (?P<name>[^ ]+) \\((?P<id>[^ )]+)\\)(?: (?P<case>[(\\[].*[)\\]]))?$',
);
const FRAME = linearPattern('^ +File "(?P<path>[^"]+)", line (?P<line>[0-9]{1,8})(?:, in .+)?$');
const RAN = linearPattern('^Ran (?P<count>[0-9]{1,9}) tests? in ');
const OUTCOME = linearPattern('^(?:OK|FAILED)(?: \\((?P<counts>[a-z0-9=, ]+)\\))?$');
const COUNT = linearPattern('^(?P<what>[a-z ]+)=(?P<count>[0-9]{1,9})$');

/** Failed tests of Python's `unittest`, and of what prints as it does, such as Django's: each below a rule of 70 `=`. */
export function unittestFindings(lines: readonly LogLine[], within: string): TestFindings | null {
  const failed: FailedTest[] = [];
  for (const [at, { text }] of lines.entries()) {
    if (failed.length >= FAILED_TESTS_MAX) break;
    const heading = text === ABOVE_HEADING ? HEADING.find(lines[at + 1]?.text ?? '') : null;
    if (heading !== null) failed.push(testAt(lines, at + 1, heading, within));
  }
  const totals = totalsOf(lines, failed);
  return failed.length === 0 && (totals === null || totals.failed === 0)
    ? null
    : { format: 'unittest', tool: 'unittest', failed, totals };
}

function testAt(lines: readonly LogLine[], at: number, heading: Groups, within: string): FailedTest {
  const method = heading['name'] ?? '';
  const suite = suiteOf(heading['id'] ?? '', method);
  const story = heading['kind'] === 'UNEXPECTED SUCCESS' ? [] : storyBelow(lines, at);
  const place = placeIn(story, method, within);
  const message = messageOf(story);
  const first = lines[at]?.number ?? 1;
  const named = suite.split('.').at(-1) ?? '';
  const which = heading['case'] === undefined ? '' : ` ${heading['case']}`;
  return {
    name: `${named === '' ? '' : `${named}.`}${method}${which}`,
    suite,
    message: message.map(({ text }) => text).join('\n') || 'Unexpected success',
    path: place?.path ?? null,
    line: place?.line ?? null,
    // The message itself has both values: `3 != 4`.
    compared: null,
    lines: { from: first, to: message.at(-1)?.number ?? first },
  };
}

/** The class of a test. Since Python 3.11 its heading names the method again behind it; a module that failed to load has none. */
function suiteOf(id: string, method: string): string {
  if (id.startsWith('unittest.')) return '';
  return id.endsWith(`.${method}`) ? id.slice(0, -method.length - 1) : id;
}

/** What is told of a test, from below its heading to the next one, or to the rule above the totals. */
function storyBelow(lines: readonly LogLine[], at: number): readonly LogLine[] {
  const rule = lines.slice(at + 1, at + 1 + HEADING_LINES_MAX).findIndex(({ text }) => text === BELOW_HEADING);
  const from = at + 2 + rule;
  let to = from;
  while (to < lines.length && lines[to]?.text !== ABOVE_HEADING && lines[to]?.text !== BELOW_HEADING) to += 1;
  return lines.slice(from, to);
}

const AROUND_A_TEST = ['setUp', 'tearDown', 'asyncSetUp', 'asyncTearDown'];

/** Where the test itself stands in the last traceback, or else the deepest place of the repository. */
function placeIn(story: readonly LogLine[], method: string, within: string): Location | null {
  let deepest: Location | null = null;
  for (const { text } of story.slice(story.findLastIndex((line) => line.text === TRACEBACK) + 1).toReversed()) {
    const isOwn = [method, ...AROUND_A_TEST].some((name) => text.endsWith(`, in ${name}`));
    if (!text.startsWith('  File "') || (deepest !== null && !isOwn)) continue;
    const found = FRAME.find(text);
    const place = found === null ? null : locationOf(found['path'] ?? '', found['line'], within);
    if (place !== null && isOwn) return place;
    deepest ??= place;
  }
  return deepest;
}

/** What the last traceback ends with: the ones before it are causes that the code went on from. */
function messageOf(story: readonly LogLine[]): readonly LogLine[] {
  const behind = story.slice(story.findLastIndex(({ text }) => text === TRACEBACK) + 1);
  const start = behind.findIndex(({ text }) => text !== '' && !text.startsWith(' '));
  if (start === -1) return [];
  const told = behind.slice(start, start + STORY_LINES_MAX);
  const output = told.findIndex(({ text }) => text === 'Stdout:' || text === 'Stderr:');
  const message = told.slice(0, output === -1 ? told.length : output);
  while (message.at(-1)?.text === '') message.pop();
  return message;
}

/** Sums over all runs in this log. What fails before any test of a class runs is counted as failed, and not among those that ran. */
function totalsOf(lines: readonly LogLine[], listed: readonly FailedTest[]): TestTotals | null {
  const counts = { ran: 0, failed: 0, skipped: 0 };
  let [from, to] = [0, 0];
  for (const [at, { text, number }] of lines.entries()) {
    const ran = text.startsWith('Ran ') ? RAN.find(text)?.['count'] : undefined;
    const outcome = ran === undefined ? undefined : lines.slice(at + 1, at + 3).find((line) => line.text !== '');
    const found = outcome === undefined ? null : OUTCOME.find(outcome.text);
    if (outcome === undefined || found === null) continue;
    const { failed, skipped } = countsIn(found['counts'] ?? '');
    counts.ran += Number(ran);
    counts.failed += failed;
    counts.skipped += skipped;
    if (from === 0) from = number;
    to = outcome.number;
  }
  if (from === 0) return null;
  const passed = counts.ran - counts.skipped - failedAmongRun(counts.failed, listed);
  return { passed: Math.max(0, passed), failed: counts.failed, lines: [{ from, to }] };
}

function countsIn(text: string): { failed: number; skipped: number } {
  const counts = { failed: 0, skipped: 0 };
  for (const part of text.split(', ')) {
    const found = COUNT.find(part);
    const [what, count] = [found?.['what'], Number(found?.['count'] ?? 0)];
    if (what === 'failures' || what === 'errors' || what === 'unexpected successes') counts.failed += count;
    if (what === 'skipped' || what === 'expected failures') counts.skipped += count;
  }
  return counts;
}

/** Cases of one test are failures of their own and one test that ran; where not all are listed, the count has to do. */
function failedAmongRun(failed: number, listed: readonly FailedTest[]): number {
  if (listed.length !== failed) return failed;
  const ran = listed.filter(({ name }) => !BEFORE_ALL.some((part) => name.includes(part)));
  return new Set(ran.map(({ suite, name }) => `${suite} ${name.split(' ', 1)[0]}`)).size;
}

const BEFORE_ALL = ['setUpClass', 'tearDownClass', 'setUpModule', 'tearDownModule'];
