import { linearPattern } from '../text/linear-pattern.ts';
import { locationIn } from '../text/locations.ts';
import type { LogLine } from '../text/log-lines.ts';
import { FAILED_TESTS_MAX, STORY_LINES_MAX, type FailedTest, type TestFindings } from './failed-test.ts';

const FAILING = linearPattern('^ +(?P<count>[0-9]{1,9}) failing$');
const PASSING = linearPattern('^ +(?P<count>[0-9]{1,9}) passing(?: \\(.+\\))?$');
const TITLE = linearPattern('^ {2}(?P<index>[0-9]{1,6})\\) (?P<name>.+)$');

/** Failed tests of Mocha: a numbered list after `N failing`. */
export function mochaFindings(lines: readonly LogLine[], within: string): TestFindings | null {
  const start = lines.findIndex(({ text }) => text.endsWith(' failing') && FAILING.find(text) !== null);
  const heading = lines[start];
  if (heading === undefined) return null;
  const listed = lines.slice(start + 1);
  const failed: FailedTest[] = [];
  for (const [at, { text }] of listed.entries()) {
    if (failed.length >= FAILED_TESTS_MAX) break;
    const name = text.startsWith('  ') && text.includes(') ') ? TITLE.find(text)?.['name'] : undefined;
    if (name !== undefined) failed.push(testAt(listed, at, name, within));
  }
  if (failed.length === 0) return null;
  const passing = lines.slice(Math.max(0, start - 5), start).find(({ text }) => PASSING.find(text) !== null);
  const passed = Number(PASSING.find(passing?.text ?? '')?.['count'] ?? 0);
  const count = Number(FAILING.find(heading.text)?.['count'] ?? failed.length);
  return {
    format: 'mocha',
    tool: 'Mocha',
    failed,
    totals: { passed, failed: count, lines: [{ from: passing?.number ?? heading.number, to: heading.number }] },
  };
}

function testAt(lines: readonly LogLine[], at: number, title: string, within: string): FailedTest {
  const first = lines[at]?.number ?? 1;
  const story: LogLine[] = [];
  for (const line of lines.slice(at + 1, at + 1 + STORY_LINES_MAX)) {
    if (line.text !== '' && (TITLE.find(line.text) !== null || !line.text.startsWith('  '))) break;
    story.push(line);
  }
  while (story.at(-1)?.text === '') story.pop();
  const ends = story.findIndex(({ text }) => text.endsWith(':'));
  const nested = story.slice(0, Math.max(0, Math.min(ends, 10) + 1)).map(({ text }) => text.trim());
  const told = story.slice(nested.length).map(({ text }) => text.trim());
  const frames = told.filter((text) => text.startsWith('at '));
  const location = frames.map((text) => locationIn(text.slice(text.lastIndexOf('(') + 1).replace(/^at /, ''), within));
  const place = location.find((found) => found !== null) ?? null;
  return {
    name: [title, ...nested].join(' › ').replace(/:$/, ''),
    suite: title,
    message: told.filter((text) => text !== '' && !text.startsWith('at ')).join('\n'),
    path: place?.path ?? null,
    line: place?.line ?? null,
    compared: null,
    lines: { from: first, to: story.at(-1)?.number ?? first },
  };
}
