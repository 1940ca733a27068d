import { cargoPackages, cargoPlace } from '../text/cargo-place.ts';
import { linearPattern, type Groups } from '../text/linear-pattern.ts';
import { locationOf, type Location } from '../text/locations.ts';
import type { LogLine } from '../text/log-lines.ts';
import {
  FAILED_TESTS_MAX,
  STORY_LINES_MAX,
  type Compared,
  type FailedTest,
  type TestFindings,
  type TestTotals,
} from './failed-test.ts';

/** Programs whose totals are quoted. */
const RESULTS_CITED_MAX = 5;

const STORY_START = '---- ';
const STORY_END = ' stdout ----';
const FAILED_START = 'test ';
const FAILED_END = ' ... FAILED';
const THREAD = "thread '";

const PROGRAM = linearPattern('^ +Running (?:.+ \\()?\\S*deps/(?P<name>[^/\\s]+)-[0-9a-f]{16}\\)?$');
const DOC_TESTS = linearPattern('^ +Doc-tests (?P<name>\\S+)$');
const RUNNING = linearPattern('^running [0-9]{1,9} tests?$');
const LISTED = linearPattern('^ {4}[^ ]');
const RESULT = linearPattern(
  '^test result: (?:ok|FAILED)\\. (?P<passed>[0-9]{1,9}) passed; (?P<failed>[0-9]{1,9}) failed;',
);
const PLACE = "(?P<path>[^\\s:']+\\.(?:rs|md)):(?P<line>[0-9]{1,8}):[0-9]{1,8}";
const PANIC = linearPattern(`^thread '.*' (?:\\([0-9]+\\) )?panicked at ${PLACE}:$`);
/** Before Rust 1.73 the message stood before the place, in quotes. */
const OLD_PANIC = linearPattern("^thread '.*' panicked at '(?P<message>.*)$");
const OLD_PANIC_END = linearPattern(`^(?P<message>.*)', ${PLACE}$`);
const NO_PANIC = linearPattern(`^note: test did not panic as expected(?: at ${PLACE})?$`);
const COMPILER_PLACE = linearPattern(`^ *--> ${PLACE}$`);
const DOC_TEST = linearPattern('^(?P<path>\\S+\\.(?:rs|md)) - (?:.* )?\\(line (?P<line>[0-9]{1,8})\\)$');
const SIDE = linearPattern('^ *(?P<side>left|right): (?P<value>.+)$');
const QUOTED = linearPattern('^`(?P<value>.*?)`(?:,|: .*)?$');
const SAID = linearPattern('^ *panic message: (?P<value>.+)$');
const WANTED = linearPattern('^ *expected substring: (?P<value>.+)$');

/** Indexes of lines, end exclusive. */
interface LineIndexes {
  readonly from: number;
  readonly to: number;
}

/** One failed test, as indexes of lines. */
interface Told {
  readonly name: string;
  /** The crate whose tests ran; `''` when cargo did not say. */
  readonly suite: string;
  readonly at: number;
  /** What the test printed, its heading first; null when it was not kept apart (`--nocapture`). */
  story: LineIndexes | null;
  /** The first panic of the story, and the last one in the test's own thread. */
  readonly panics: { first: number | null; own: number | null };
}

/** The place in the repository that a path and a line of the log mean. */
type Placing = (named: string, line: string | undefined) => Location | null;

/** What one test program told: its failed tests, and panics outside their stories by the name of the thread. */
interface Section {
  readonly tests: Map<string, Told>;
  readonly threads: Map<string, number>;
}

/**
 * Failed tests of `cargo test`: those of libraries and programs, of `tests/` and of documentation. A test is told of where
 * its output is shown; with `--nocapture`, by the panic of the thread that has its name.
 */
export function cargoTestFindings(lines: readonly LogLine[], within: string): TestFindings | null {
  const packages = cargoPackages(lines);
  // Where nothing was compiled, the directory that is known has to do.
  const place: Placing = (named, line) => cargoPlace(named, line, packages) ?? locationOf(named, line, within);
  const failed = toldIn(lines).map((told) => testOf(lines, told, place));
  const totals = totalsOf(lines);
  return failed.length === 0 && (totals === null || totals.failed === 0)
    ? null
    : { format: 'cargo-test', tool: 'cargo test', failed, totals };
}

/** One pass: every line belongs to one program, and to one story at most. */
function toldIn(lines: readonly LogLine[]): Told[] {
  const all: Told[] = [];
  let section: Section = { tests: new Map(), threads: new Map() };
  let suite = '';
  let open: Told | null = null;
  // Other tools list failures too: only what follows the number of tests is taken for names.
  let [running, listing] = [false, false];
  const tell = (name: string, at: number): Told | null => {
    const known = section.tests.get(name);
    if (known !== undefined || all.length >= FAILED_TESTS_MAX) return known ?? null;
    const told: Told = { name, suite, at, story: null, panics: { first: null, own: null } };
    section.tests.set(name, told);
    all.push(told);
    return told;
  };
  const close = (at: number): void => {
    if (open?.story) open.story = { ...open.story, to: at };
    open = null;
  };
  for (const [at, { text }] of lines.entries()) {
    if (text.startsWith('test result: ')) {
      close(at);
      takePanics(section);
      section = { tests: new Map(), threads: new Map() };
      [running, listing] = [false, false];
    } else if (text === 'failures:' || text === 'successes:') {
      close(at);
      listing = running && text === 'failures:';
    } else if (text.startsWith(STORY_START) && text.endsWith(STORY_END)) {
      close(at);
      listing = false;
      const told = tell(text.slice(STORY_START.length, -STORY_END.length), at);
      open = told?.story === null ? told : null;
      if (open !== null) open.story = { from: at, to: lines.length };
    } else if (text.startsWith(THREAD)) {
      notePanic(section, open, text, at);
    } else if (open !== null) {
      continue;
    } else if (text.startsWith('running ')) {
      running ||= RUNNING.find(text) !== null;
    } else if (running && text.startsWith(FAILED_START) && text.endsWith(FAILED_END)) {
      tell(plainName(text.slice(FAILED_START.length, -FAILED_END.length)), at);
    } else if (listing && LISTED.find(text) !== null) {
      tell(text.slice(4), at);
    } else if (text.includes('Running ') || text.includes('Doc-tests ')) {
      suite = (PROGRAM.find(text) ?? DOC_TESTS.find(text))?.['name'] ?? suite;
    }
  }
  close(lines.length);
  takePanics(section);
  return all;
}

/** The name without what is expected of the test. */
const plainName = (name: string): string => name.replace(/ - (?:should panic|compile fail|compile)$/, '');

function notePanic({ threads }: Section, open: Told | null, text: string, at: number): void {
  const end = text.indexOf("'", THREAD.length);
  if (end === -1 || !text.startsWith(' ', end + 1) || !text.includes(' panicked at ', end)) return;
  const thread = text.slice(THREAD.length, end);
  if (open === null) {
    threads.set(thread, at);
    return;
  }
  open.panics.first ??= at;
  if (thread === open.name) open.panics.own = at;
}

function takePanics({ tests, threads }: Section): void {
  for (const { name, panics } of tests.values()) panics.own ??= threads.get(name) ?? null;
}

/** What a test failed with, as far as it is understood. `to` is the last line that says so. */
interface Reason {
  readonly message: string;
  readonly place: Location | null;
  readonly compared: Compared | null;
  readonly from: number;
  readonly to: number;
}

function testOf(lines: readonly LogLine[], told: Told, placed: Placing): FailedTest {
  const { message, place, compared, from, to } = reasonOf(lines, told, placed);
  const documented = DOC_TEST.find(told.name);
  const stated = documented === null ? null : placed(documented['path'] ?? '', documented['line']);
  // Older toolchains count the lines of a documented example from its own beginning.
  const location = stated !== null && !isBehind(place, stated) ? stated : place;
  return {
    name: told.name,
    suite: told.suite,
    message,
    path: location?.path ?? null,
    line: location?.line ?? null,
    compared,
    lines: { from: lines[from]?.number ?? 1, to: lines[to]?.number ?? 1 },
  };
}

const isBehind = (place: Location | null, { path, line }: Location): boolean =>
  place !== null && place.path === path && (place.line ?? 0) > (line ?? 0);

function reasonOf(lines: readonly LogLine[], { at, story, panics }: Told, placed: Placing): Reason {
  const { first, own } = panics;
  const panic = own ?? first;
  if (panic === null) return reasonWithoutPanic(lines, story ?? { from: at, to: at + 1 }, placed);
  const end = story?.to ?? lines.length;
  const reason = panicAt(lines, panic, end, placed);
  // A test that waits for a thread hands on its panic, and no longer has its words.
  const handedOn = first !== null && first !== panic && reason.message.endsWith('Any { .. }');
  const cause = handedOn ? panicAt(lines, first, end, placed) : reason;
  const shown = own === null && story !== null ? { ...cause, from: story.from } : cause;
  return story === null ? shown : otherThanWanted(lines, story, shown);
}

/** A panic of `#[should_panic(expected = …)]` with other words: they are compared at the story's end, below any backtrace. */
function otherThanWanted(lines: readonly LogLine[], story: LineIndexes, reason: Reason): Reason {
  const tail = lines.slice(Math.max(story.from, story.to - 4), story.to);
  if (!tail.some(({ text }) => text.startsWith('note: panic did not contain expected string'))) return reason;
  const valueBy = (pattern: typeof SAID): string | undefined =>
    tail.map(({ text }) => pattern.find(text)?.['value']).find((value) => value !== undefined);
  const [actual, expected] = [valueBy(SAID), valueBy(WANTED)];
  if (actual === undefined || expected === undefined) return reason;
  return { ...reason, compared: { actual: bare(actual), expected: bare(expected) }, to: story.to - 1 };
}

/** The value without the quotes it had before Rust 1.73, and without what stood behind them. */
const bare = (value: string): string => QUOTED.find(value)?.['value'] ?? value;

function panicAt(lines: readonly LogLine[], at: number, end: number, placed: Placing): Reason {
  const head = lines[at]?.text ?? '';
  const behind = lines.slice(at + 1, Math.min(end, at + 1 + STORY_LINES_MAX));
  const found = PANIC.find(head);
  const old = found === null ? OLD_PANIC.find(head)?.['message'] : undefined;
  const told = old === undefined ? { message: messageIn(behind), place: found } : oldPanic([old, ...messageIn(behind)]);
  const place = told.place === null ? null : placed(told.place['path'] ?? '', told.place['line']);
  return {
    message: told.message.join('\n'),
    // A panic in the code of a dependency has none: frames of a backtrace are named from a folder that the log does not tell.
    place,
    compared: comparedIn(told.message),
    from: at,
    to: at + told.message.length - (old === undefined ? 0 : 1),
  };
}

/** The lines of a message in quotes, and the place behind its end. */
function oldPanic(texts: readonly string[]): { message: string[]; place: Groups | null } {
  const message: string[] = [];
  for (const text of texts) {
    const place = text.includes("', ") ? OLD_PANIC_END.find(text) : null;
    message.push(place?.['message'] ?? text);
    if (place !== null) return { message, place };
  }
  return { message, place: null };
}

/** Starts of lines that follow the message of a panic. */
const BEHIND_MESSAGE = ['note: ', 'stack backtrace:', THREAD, STORY_START, 'failures:', 'FAILED'];

function messageIn(lines: readonly LogLine[]): string[] {
  const end = lines.findIndex(
    ({ text }) =>
      BEHIND_MESSAGE.some((start) => text.startsWith(start)) ||
      (text.startsWith(FAILED_START) && text.includes(' ... ')),
  );
  const message = lines.slice(0, end === -1 ? lines.length : end).map(({ text }) => text);
  while (message.at(-1) === '') message.pop();
  return message;
}

function comparedIn(message: readonly string[]): Compared | null {
  if (message[0]?.startsWith('assertion') !== true) return null;
  const values: Partial<Record<string, string>> = {};
  for (const text of message) {
    const found = text.includes('left: ') || text.includes('right: ') ? SIDE.find(text) : null;
    if (found?.['side'] !== undefined) values[found['side']] = bare(found['value'] ?? '');
  }
  const { left, right } = values;
  return left === undefined || right === undefined ? null : { left, right };
}

/** An error that the test returned, which is the last that it says, a panic that did not come, or an example that does not compile. */
function reasonWithoutPanic(lines: readonly LogLine[], { from, to }: LineIndexes, placed: Placing): Reason {
  const story = lines.slice(from + 1, to).map(({ text }) => text);
  const returned = story.findLastIndex((text) => text.startsWith('Error: ') || text.startsWith('note: test did not'));
  const compiler = story.findIndex((text) => text.startsWith('error[') || text.startsWith('error: '));
  const something = story.findIndex((text) => text !== '');
  const start = [returned, compiler, something].find((index) => index !== -1) ?? 0;
  const message = story.slice(start, start + STORY_LINES_MAX);
  while (message.at(-1) === '') message.pop();
  const place = message.map((text) => NO_PANIC.find(text) ?? COMPILER_PLACE.find(text)).find((found) => found !== null);
  return {
    message: message.join('\n'),
    place: place?.['path'] === undefined ? null : placed(place['path'], place['line']),
    compared: null,
    from,
    to: message.length === 0 ? from : from + start + message.length,
  };
}

/** Sums over all programs: the tests of a library, each file of `tests/`, and documentation are counted apart. */
function totalsOf(lines: readonly LogLine[]): TestTotals | null {
  const results = lines.flatMap(({ text, number }) => {
    const found = text.startsWith('test result: ') ? RESULT.find(text) : null;
    return found === null ? [] : [{ passed: Number(found['passed']), failed: Number(found['failed']), number }];
  });
  if (results.length === 0) return null;
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
    lines: results
      .filter(({ passed }) => passed > 0)
      .slice(0, RESULTS_CITED_MAX)
      .map(({ number }) => ({ from: number, to: number })),
  };
}
