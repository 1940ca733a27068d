import { compileGlob } from '../glob.ts';
import type { CommandShards } from '../model.ts';
import { quoteForShell } from '../shell-words.ts';
import type { Question, Selection } from '../tracing/repository-view.ts';
import { fileNameOf, firstPlace, isWithin, relativeTo, resolvePath } from '../tree-paths.ts';
import type { PytestSettings } from './pytest-settings.ts';

/** Each shard is told which files to leave out, so few files for each are little of a command line. */
const FILES_OF_SHARD = 10;

/** All files together, as options: a command line of a step may have 65,536 characters, and a plan has one for each shard. */
const OPTIONS_LENGTH_MAX = 48_000;

const LEAVES_OUT = '--ignore';

/**
 * How pytest runs the tests of a folder shard by shard, without a plugin: each shard is the whole command with `--ignore` for
 * the files of the others. So everything pytest reads and collects stays as it is, and a file that nobody knew of runs in every
 * shard instead of in none. Undefined unless the files that pytest would take are known, all of them: by its settings in that
 * very folder, with nothing that takes some tests only, other things than files of tests, or all tests together.
 * @param allFiles every file of Python whose name speaks of tests, in the order of their paths; asked for only where all else is plain
 */
export function shardsOfPytest(
  root: string,
  settings: PytestSettings | null,
  places: { readonly has: (path: string) => boolean },
  allFiles: () => readonly string[],
): CommandShards | undefined {
  if (settings === null || settings.has('norecursedirs')) return undefined;
  if ([...settings.values()].some(isMuch)) return undefined;
  const isTest = filePattern(settings.get('python_files') ?? ['test_*.py', '*_test.py']);
  const starts = (settings.get('testpaths') ?? ['.']).map((path) => startAt(root, path));
  if (isTest === null || !areOfAnyShard(settings.get('addopts') ?? [])) return undefined;
  if (!starts.every((start) => start !== null && places.has(start))) return undefined;
  const isCollected = (path: string): boolean =>
    isTest(fileNameOf(path)) &&
    starts.some((start) => start !== null && isWithin(path, start) && isSearched(relativeTo(start, path)));
  const files = within(allFiles(), root)
    .filter(isCollected)
    .map((path) => relativeTo(root, path));
  const most = Math.floor(files.length / FILES_OF_SHARD);
  const options = files.map((path) => quoteForShell(`${LEAVES_OUT}=${path}`));
  if (most < 2 || options.join(' ').length > OPTIONS_LENGTH_MAX) return undefined;
  return { by: `${LEAVES_OUT} of pytest, file by file`, suffix: '', most, leavesOut: options };
}

/** Words of a setting, and characters of a word: nobody writes more of them by hand, and each file is held against them. */
const WORDS_MAX = 50;
const WORD_LENGTH_MAX = 200;

function isMuch(words: readonly string[]): boolean {
  return words.length > WORDS_MAX || words.some(({ length }) => length > WORD_LENGTH_MAX);
}

/** Of paths in order, those below a folder: they stand together. */
function within(paths: readonly string[], folder: string): readonly string[] {
  if (folder === '.') return paths;
  const placeOf = (text: string): number => firstPlace(paths.length, (at) => (paths[at] ?? '') < text);
  // 0 is what follows / in the order of characters.
  return paths.slice(placeOf(`${folder}/`), placeOf(`${folder}0`));
}

/** Files whose names match one of the patterns; null where a pattern is more than a plain one, or may take names without `test`. */
function filePattern(patterns: readonly string[]): ((name: string) => boolean) | null {
  if (patterns.length === 0 || !patterns.every((each) => /^[\w.*?-]*test[\w.*?-]*\.py$/u.test(each))) return null;
  const compiled = patterns.map(compileGlob);
  return (name) => compiled.some((matches) => matches?.(name) === true);
}

function startAt(root: string, path: string): string | null {
  const start = /^[\w./-]+$/u.test(path) ? resolvePath(root, path) : null;
  return start !== null && isWithin(start, root) ? start : null;
}

/** Folders pytest never looks into unless told otherwise: its default of `norecursedirs`. */
const NOT_SEARCHED = /^(?:.*\.egg|\..*|_darcs|build|CVS|dist|node_modules|venv|\{arch\})$/u;

function isSearched(path: string): boolean {
  return path
    .split('/')
    .slice(0, -1)
    .every((folder) => !NOT_SEARCHED.test(folder));
}

/** Options that mean the same for some of the tests as for all, by themselves or with the word that follows. */
const OF_ANY_SHARD =
  /^(?:-[qvsxl]+|-ra|-r[a-zA-Z]{1,12}|--(?:verbose|quiet|exitfirst|showlocals|strict|strict-markers|strict-config|disable-warnings|reuse-db|nomigrations|no-migrations|create-db|pyargs|cache-clear|no-header|no-summary|full-trace|runxfail)|--(?:tb|durations|durations-min|color|import-mode|maxfail|timeout|timeout-method|capture|verbosity|dist|numprocesses|log-level|log-cli-level|junit-prefix|asyncio-mode|basetemp|show-capture|ds|random-order-bucket|junit_family|override-ini)=\S+|-p\S+|-n\S+|-W\S+)$/u;
const WITH_A_WORD = new Set(['-p', '-n', '-W', '-r', '--tb', '--durations', '--color', '--import-mode', '--log-level']);

function areOfAnyShard(words: readonly string[]): boolean {
  return words.every((word, at) => {
    const follows = WITH_A_WORD.has(words[at - 1] ?? '');
    return (follows && !word.startsWith('-')) || WITH_A_WORD.has(word) || OF_ANY_SHARD.test(word);
  });
}

const NAMED_FOR_TESTS: Selection = (path, type) =>
  path.endsWith('.py') && fileNameOf(path).includes('test') && (type === 'file' || type === 'executable');

/** Paths of all files of Python whose names speak of tests, in order. */
export const NAMED_FOR_TESTS_FILES: Question<readonly string[]> = {
  answer: (view) => view.listed(NAMED_FOR_TESTS).map(({ path }) => path),
  same: (one, other) =>
    Array.isArray(one) &&
    Array.isArray(other) &&
    one.length === other.length &&
    one.every((path, at) => path === other[at]),
};
