import type { CommandShards } from '../model.ts';
import { memberOf } from '../parsed-values.ts';
import type { CargoLine } from './ci-lines.ts';
import type { CargoManifest } from './manifest.ts';

/** Tests that cargo-nextest runs: https://nexte.st/docs/ci-features/partitioning */

/**
 * The first line of a workflow by which cargo-nextest runs the tests; null where none does, and where others run them by
 * `cargo test` as well: then that is what is known to do. Of documentation nextest runs no tests, so lines for those alone do not count.
 */
export function nextestLine(lines: readonly CargoLine[]): CargoLine | null {
  const tests = lines.filter(
    ({ tool, otherToolchain, words }) => tool === 'test' && !otherToolchain && !isOfPages(words),
  );
  const [first] = tests;
  return first !== undefined && tests.every(({ byNextest }) => byNextest) ? first : null;
}

const isOfPages = (words: readonly string[]): boolean => words.includes('--doc');

/** Shards are told apart by hashes of the tests' names, so none needs to know how many there are. */
const SHARDS_MOST = 8;

export interface NextestCommand {
  /** What compiles the tests: it takes as long for one shard as for all, so it is a step of its own. */
  readonly before: string;
  /** What runs the tests, and behind it those of documentation. */
  readonly run: string;
  readonly rest: string;
  readonly shards: CommandShards;
}

/** @param cargo the command line for a verb of cargo, for the package at hand with its features */
export function testsByNextest(
  { hasLibrary, manifest }: { readonly hasLibrary: boolean; readonly manifest: CargoManifest },
  { words }: CargoLine,
  cargo: (verb: string) => string,
): NextestCommand {
  const profile = profileOf(words);
  // A package without tests is no failure to `cargo test`, and neither is a shard without any.
  const run = `NEXTEST_NO_TESTS=pass ${cargo('nextest run')}${profile}`;
  const documented = hasLibrary && memberOf(memberOf(manifest.text, 'lib'), 'doctest') !== false;
  const rest = documented ? ` && ${cargo('test --doc')}` : '';
  const shards = {
    by: '--partition of cargo-nextest',
    suffix: ' --partition hash:{number}/{count}',
    most: SHARDS_MOST,
    divided: { run, rest },
  };
  return { before: `${cargo('nextest run')} --no-run`, run, rest, shards };
}

/** The profile of settings that the line names: it may say how often tests are tried again, and where reports go. */
function profileOf(words: readonly string[]): string {
  const at = words.findIndex((word) => word === '--profile' || word === '-P');
  const named =
    at < 0 ? words.find((word) => word.startsWith('--profile='))?.slice('--profile='.length) : words[at + 1];
  return named !== undefined && /^[\w-]{1,50}$/u.test(named) ? ` --profile ${named}` : '';
}
