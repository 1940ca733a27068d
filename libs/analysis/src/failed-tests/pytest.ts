import { linearPattern, type Groups } from '../text/linear-pattern.ts';
import { locationOf } from '../text/locations.ts';
import type { LogLine } from '../text/log-lines.ts';
import {
  FAILED_TESTS_MAX,
  STORY_LINES_MAX,
  type FailedTest,
  type TestFindings,
  type TestTotals,
} from './failed-test.ts';

const SUMMARY = linearPattern('^=+ short test summary info =+$');
/** Test ids of one line: parameters in brackets may hold anything, a message follows behind a dash. */
const LISTED = linearPattern(
  '^(?:FAILED|(?P<error>ERROR)|SUBFAILED(?P<case>[(\\[].*[)\\]])) (?P<path>[^\\s:]+\\.py)(?:::(?P<name>[^\\s\\[]+(?:\\[.*?\\])?))?(?: - (?P<message>.*))?$',
);
const LISTED_STARTS = ['FAILED ', 'ERROR ', 'SUBFAILED'];
const CAPTURED = linearPattern('^-+ Captured .+ -+$');
const STORY = linearPattern('^_{3,} (?P<error>ERROR (?:at setup of|at teardown of|collecting) )?(?P<name>.+?) _{3,}$');
const PLACE = linearPattern('^(?P<path>[^\\s:]+\\.py):(?P<line>[0-9]{1,8}):');
const TOTALS = linearPattern('^(?:=+ )?[0-9]+ [a-z]+(?:, [0-9]+ [a-z ]+)* in [0-9.]+s');
const COUNT = linearPattern('^(?:=+ )?(?P<count>[0-9]{1,9}) (?P<what>failed|passed|errors?)\\b');

/** Failed tests of pytest: its summary lists them, and above it stands what each of them says. */
export function pytestFindings(lines: readonly LogLine[], within: string): TestFindings | null {
  const listed = listedIn(lines);
  if (listed.length === 0) return null;
  const stories = storiesIn(lines);
  const failed = listed.map((one) => testOf(one, stories, within));
  return { format: 'pytest', tool: 'pytest', failed, totals: totalsOf(lines) };
}

interface Listed {
  readonly groups: Groups;
  readonly line: LogLine;
}

function listedIn(lines: readonly LogLine[]): Listed[] {
  const listed: Listed[] = [];
  let inSummary = false;
  for (const line of lines) {
    if (listed.length >= FAILED_TESTS_MAX) break;
    if (line.text.startsWith('=')) inSummary = SUMMARY.find(line.text) !== null;
    const groups =
      inSummary && LISTED_STARTS.some((start) => line.text.startsWith(start)) ? LISTED.find(line.text) : null;
    if (groups !== null) listed.push({ groups, line });
  }
  return listed;
}

/** Lines below each heading, in order: tests of two files may have one name, and one may fail and its clean-up too. */
type Stories = ReadonlyMap<string, LogLine[][]>;

function storiesIn(lines: readonly LogLine[]): Stories {
  const stories = new Map<string, LogLine[][]>();
  let open: LogLine[] | null = null;
  for (const line of lines) {
    const heading = line.text.startsWith('___') ? STORY.find(line.text) : null;
    if (heading !== null) {
      open = [];
      const key = keyOf(heading, heading['name'] ?? '');
      const known = stories.get(key);
      if (known === undefined) stories.set(key, [open]);
      else known.push(open);
    } else if (line.text.startsWith('===') || (line.text.startsWith('---') && CAPTURED.find(line.text) !== null)) {
      open = null;
    }
    open?.push(line);
  }
  return stories;
}

const keyOf = (found: Groups, name: string): string => `${found['error'] === undefined ? 'failed' : 'error'} ${name}`;

function testOf({ groups, line }: Listed, stories: Stories, within: string): FailedTest {
  const file = groups['path'] ?? '';
  const which = groups['case'] === undefined ? '' : ` ${groups['case']}`;
  const name = `${groups['name']?.replaceAll('::', '.') ?? file}${which}`;
  const story = stories.get(keyOf(groups, name))?.shift() ?? [];
  const suite = locationOf(file, undefined, within);
  const message = messageOf(story);
  const said = unmarked(message);
  return {
    name,
    suite: suite?.path ?? file,
    message: said === '' ? (groups['message'] ?? '') : said,
    path: suite?.path ?? null,
    line: lineIn(story, file),
    // The message itself has both values: `assert 3 == 4`.
    compared: null,
    lines: { from: story[0]?.number ?? line.number, to: message.at(-1)?.number ?? story.at(-1)?.number ?? line.number },
  };
}

/** The first line of the test's own file that is named: the test itself, before what it calls. */
function lineIn(story: readonly LogLine[], file: string): number | null {
  for (const { text } of story) {
    if (!text.startsWith(`${file}:`)) continue;
    const line = PLACE.find(text)?.['line'];
    if (line !== undefined) return locationOf(file, line, '')?.line ?? null;
  }
  return null;
}

/** The last lines marked with an E: those further up are causes that the code went on from. */
function messageOf(story: readonly LogLine[]): readonly LogLine[] {
  const isMarked = ({ text }: LogLine): boolean => text === 'E' || text.startsWith('E  ');
  const end = story.findLastIndex(isMarked) + 1;
  let from = end;
  while (from > 0 && isMarked(story[from - 1] ?? { number: 0, text: '' })) from -= 1;
  return story.slice(from, Math.min(end, from + STORY_LINES_MAX));
}

/** The lines without their marks, and without the room that the first of them keeps to its mark. */
function unmarked(message: readonly LogLine[]): string {
  const texts = message.map(({ text }) => text.slice(1));
  const [first] = texts;
  const room = first === undefined ? 0 : first.length - first.trimStart().length;
  return texts.map((text) => text.slice(Math.min(room, text.length - text.trimStart().length))).join('\n');
}

/** Sums over all runs in this log. */
function totalsOf(lines: readonly LogLine[]): TestTotals | null {
  const counts = { passed: 0, failed: 0 };
  let [from, to] = [0, 0];
  for (const { text, number } of lines) {
    if (!text.includes(' in ') || TOTALS.find(text) === null) continue;
    for (const part of text.split(', ', 20)) {
      const found = COUNT.find(part);
      counts[found?.['what'] === 'passed' ? 'passed' : 'failed'] += Number(found?.['count'] ?? 0);
    }
    if (from === 0) from = number;
    to = number;
  }
  return from === 0 ? null : { ...counts, lines: [{ from, to }] };
}
