import { linearPattern } from '../text/linear-pattern.ts';
import { locationOf } from '../text/locations.ts';
import type { LogLine } from '../text/log-lines.ts';
import { nodeTestTotals } from './node-test.ts';
import { FAILED_TESTS_MAX, STORY_LINES_MAX, type FailedTest, type TestFindings } from './failed-test.ts';

const NOT_OK = linearPattern('^ *not ok [0-9]{1,9}(?: -)? (?P<name>.+)$');
const PLACE = linearPattern("^ *location: '?(?P<path>.+?):(?P<line>[0-9]{1,8}):[0-9]{1,8}'?$");
const VALUE = linearPattern('^ *(?P<what>actual|expected): (?P<value>.+)$');
/** TAP's way to say that a failure was expected. */
const EXPECTED_FAILURE = linearPattern('# (?:TODO|SKIP|todo|skip)');

/** Failed tests of the Test Anything Protocol, versions 13 and 14, with their YAML block as far as it is understood. */
export function tapFindings(lines: readonly LogLine[], within: string): TestFindings | null {
  if (!lines.some(({ text }) => text.startsWith('TAP version '))) return null;
  const failed: FailedTest[] = [];
  for (const [at, line] of lines.entries()) {
    if (failed.length >= FAILED_TESTS_MAX) break;
    if (!line.text.includes('not ok ')) continue;
    const name = NOT_OK.find(line.text)?.['name'];
    if (name === undefined || EXPECTED_FAILURE.find(name) !== null) continue;
    failed.push(testAt(lines, at, name, within));
  }
  return failed.length === 0 ? null : { format: 'tap', tool: 'TAP', failed, totals: nodeTestTotals(lines) };
}

function testAt(lines: readonly LogLine[], at: number, name: string, within: string): FailedTest {
  const block: LogLine[] = [];
  const first = lines[at]?.number ?? 1;
  for (const line of lines.slice(at + 1, at + 1 + STORY_LINES_MAX)) {
    if (line.text !== '' && !line.text.startsWith('  ')) break;
    block.push(line);
    if (line.text.trim() === '...') break;
  }
  const place = block.map(({ text }) => PLACE.find(text)).find((found) => found !== null);
  const location = place === undefined ? null : locationOf(place['path'] ?? '', place['line'], within);
  return {
    name,
    suite: location?.path ?? '',
    message: errorIn(block),
    path: location?.path ?? null,
    line: location?.line ?? null,
    compared: comparedIn(block),
    lines: { from: first, to: block.at(-1)?.number ?? first },
  };
}

function errorIn(block: readonly LogLine[]): string {
  const start = block.findIndex(({ text }) => text.trimStart().startsWith('error:'));
  if (start === -1) return '';
  const [head, ...rest] = block.slice(start).map(({ text }) => text);
  const inline = (head ?? '').trim().slice('error:'.length).trim();
  if (inline !== '|-' && inline !== '|' && inline !== '>-') return inline;
  const end = rest.findIndex((text) => text.trim() !== '' && !text.startsWith('    '));
  return rest
    .slice(0, end === -1 ? rest.length : end)
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .join('\n');
}

function comparedIn(block: readonly LogLine[]): FailedTest['compared'] {
  const values = block.map(({ text }) => VALUE.find(text));
  const actual = values.find((found) => found?.['what'] === 'actual')?.['value'];
  const expected = values.find((found) => found?.['what'] === 'expected')?.['value'];
  return actual === undefined || expected === undefined ? null : { actual, expected };
}
