import type { CommandShards } from '../model.ts';
import type { Question, Selection } from '../tracing/repository-view.ts';
import { folderOf, foldersUpwards } from '../tree-paths.ts';
import type { PackageManagerName } from './package-managers.ts';
import { WORKSPACES, type JavaScriptPackage } from './workspaces.ts';

/** A runner of tests that runs one shard of them when it is told to, and since which release of which package. */
interface Runner {
  readonly named: string;
  /** What follows its name where it runs tests once. */
  readonly verbs: readonly string[];
  readonly dependency: string;
  readonly major: number;
}

/** https://jestjs.io/docs/cli#--shard, https://vitest.dev/guide/cli#shard, https://playwright.dev/docs/test-sharding */
const RUNNERS: readonly Runner[] = [
  { named: 'jest', verbs: [], dependency: 'jest', major: 28 },
  { named: 'vitest', verbs: ['run', '--run'], dependency: 'vitest', major: 1 },
  { named: 'playwright', verbs: ['test'], dependency: '@playwright/test', major: 1 },
];

export interface ShardFacts {
  readonly each: JavaScriptPackage;
  /** The package at the root of the workspace, which may bring the runner for all. */
  readonly top: JavaScriptPackage | undefined;
  readonly manager: PackageManagerName;
  /** Name of the script that is run. */
  readonly script: string;
  /** Texts of settings that may concern the runner. */
  readonly settings: readonly string[];
  /** As many shards as its files of tests are enough for; asked for only where all else is plain. */
  readonly most: () => number;
}

/** Runners put each file into one shard; with so many files for each, no shard is empty, which they take for an error. */
const FILES_OF_SHARD = 10;

/**
 * How a script's tests are run shard by shard; undefined unless all is plain: one command, of a runner that is declared in a
 * release that has shards, without anything that looks at all tests together or takes some of them only.
 */
export function shardsOfScript({
  each,
  top,
  manager,
  script,
  settings,
  most: mostOf,
}: ShardFacts): CommandShards | undefined {
  const { scripts, dependencies } = each.manifest;
  const runner = runnerOf(scripts.get(script) ?? '');
  if (runner === undefined) return undefined;
  if (scripts.has(`pre${script}`) || scripts.has(`post${script}`)) return undefined;
  const declared = [...dependencies, ...(top?.manifest.dependencies ?? [])];
  const range = declared.find(({ name }) => name === runner.dependency)?.range ?? '';
  const major = Number(/^[\^~>=v\s]{0,5}(\d{1,4})(?:\.|$)/u.exec(range)?.[1] ?? 0);
  if (major < runner.major || settings.some((text) => LOOKS_AT_ALL.test(text) || TAKES_SOME.test(text)))
    return undefined;
  const most = mostOf();
  if (most < 2) return undefined;
  // npm keeps what comes before `--` for itself; the others pass on what they do not know.
  const separator = manager === 'npm' ? ' --' : '';
  return { by: `--shard of ${runner.named}`, suffix: `${separator} --shard={number}/{count}`, most };
}

/** Measures of how much of the code all tests together reach. */
const LOOKS_AT_ALL = /\bcoverageThreshold\b|\bcollectCoverage\b|\bthresholds?\b|\benabled["']?\s{0,3}:\s{0,3}true\b/u;

/** Settings by which other files are tests than those whose names say so, or fewer: how many shards are enough is not known. */
const TAKES_SOME =
  /\b(?:testMatch|testRegex|testDir|testIgnore|testPathIgnorePatterns|modulePathIgnorePatterns|roots|rootDir|projects|include|exclude|dir|grep|workspace)["']?\s{0,3}:/u;

/** Arguments that mean the same for some of the tests as for all. Whatever else is given may take some of them only. */
const OF_ANY_SHARD =
  /^(?:--ci|--silent|--verbose|--run|--no-cache|--forceExit|--detectOpenHandles|--passWithNoTests|--logHeapUsage|-i|--runInBand|--bail|--colors?|--no-colors?|--(?:reporters?|maxWorkers|workers|testTimeout|pool)=\S*)$/u;

function runnerOf(line: string): Runner | undefined {
  if (/[&|;<>`$(){}"'\\\n#]/u.test(line)) return undefined;
  const words = line.trim().split(/\s+/u);
  const from = words.findIndex((word) => word !== 'cross-env' && word !== 'npx' && !/^[A-Za-z_]\w*=/u.test(word));
  const [named, ...rest] = words.slice(Math.max(0, from));
  const runner = RUNNERS.find((each) => each.named === named);
  if (runner === undefined) return undefined;
  const [verb] = rest;
  if (runner.verbs.length > 0 && !runner.verbs.includes(verb ?? '')) return undefined;
  const given = runner.verbs.length > 0 ? rest.slice(1) : rest;
  return given.every((word) => OF_ANY_SHARD.test(word)) ? runner : undefined;
}

/** For how many shards the files of tests in each package, and in none below it, are enough; without those of less than two. */
export const MOST_SHARDS: Question<ReadonlyMap<string, number>> = {
  answer: (view) => {
    const { workspaces } = view.ask(WORKSPACES);
    const roots = new Set(workspaces.flatMap(({ packages }) => packages.map(({ root }) => root)));
    const files = new Map<string, number>();
    for (const { path } of view.listed(IS_TEST)) {
      const root = foldersUpwards(folderOf(path)).find((folder) => roots.has(folder));
      if (root !== undefined) files.set(root, (files.get(root) ?? 0) + 1);
    }
    const most = [...files].map(([root, count]) => [root, Math.floor(count / FILES_OF_SHARD)] as const);
    return new Map(most.filter(([, count]) => count > 1));
  },
  same: areSameCounts,
};

const IS_TEST: Selection = (path) =>
  /\.(?:test|spec)\.[cm]?[jt]sx?$|(?:^|\/)__tests__\/[^/]+\.[cm]?[jt]sx?$/u.test(path);

function areSameCounts(one: unknown, other: unknown): boolean {
  if (!(one instanceof Map) || !(other instanceof Map) || one.size !== other.size) return false;
  for (const [key, count] of one) if (other.get(key) !== count) return false;
  return true;
}
