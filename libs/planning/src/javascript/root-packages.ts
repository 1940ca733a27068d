import type { PackageManifest } from './package-manifest.ts';

/**
 * Which packages that only a workspace's root declares a member uses. Node finds them from every folder below, so in
 * principle any member can; if all were counted, a new linter would test everything again, and what some members declare
 * and the root happens to declare too would concern all. The rule, for a package P of the root and a member that has
 * something to run and does not declare P itself:
 *
 * 1. The member's scripts name P or a command that P brings, or it has P as a peer, or is seen
 *    to import P: it uses P.
 * 2. P is types that compilers take up by themselves: whoever is compiled uses it.
 * 3. P is one of the tools that are started and not loaded: only who names it uses it. Some of them can be loaded too,
 *    as tests of plugins and generators do: for a member with tests whose imports were not looked at they go on below.
 * 4. P is shaped like a plugin, or settings at the root name it: tools that work on the member load it.
 * 5. Another member declares P, or is seen to import it: who uses it can be told.
 * 6. Otherwise the root provides P for whoever imports it, and that may be the member.
 *
 * What stays unseen is an import of a package that others declare and the importing member does not.
 */
export interface RootPackages {
  /** Names that the root declares. */
  readonly names: readonly string[];
  /** Commands that a package brings. */
  readonly commandsOf: (name: string) => readonly string[];
  /** Names that members other than the root declare, or import where their imports were looked at. */
  readonly claimed: ReadonlySet<string>;
  /** Every word of settings that lie at the root. */
  readonly settings: ReadonlySet<string>;
}

/** A member, as far as the rule looks at it. */
export interface RootPackagesUser {
  /** Names it declares and gets by itself. */
  readonly declared: ReadonlySet<string>;
  /** Names it expects to be there: its peers, and what it was seen to import. */
  readonly expected: ReadonlySet<string>;
  /** Every word of the command lines that it runs; empty when it runs nothing. */
  readonly words: ReadonlySet<string>;
  readonly typescript: boolean;
  /** Whether it has tests, and nobody looked at what they import. */
  readonly mayLoadTools: boolean;
}

export function usedOfRoot(root: RootPackages, user: RootPackagesUser): string[] {
  if (user.words.size === 0) return [];
  return root.names.filter((name) => !user.declared.has(name) && isUsed(name, root, user));
}

function isUsed(name: string, root: RootPackages, user: RootPackagesUser): boolean {
  const { expected, words, typescript, mayLoadTools } = user;
  if (expected.has(name) || words.has(name)) return true;
  if (TYPES_ALONE.test(name)) return typescript || words.has('tsc');
  if (root.commandsOf(name).some((command) => words.has(command))) return true;
  if (STARTED.has(name) && !(mayLoadTools && LOADED_TOO.has(name))) return false;
  if (LOADED_BY_TOOLS.test(name) || root.settings.has(name)) return true;
  return !root.claimed.has(name);
}

const TYPES_ALONE = /^@(?:types|tsconfig)\//u;

const LOADED_BY_TOOLS =
  /(?:^|[/@-])(?:plugin|preset|config|loader|transform|transformer|environment|reporter|parser|formatter|resolver|serializer)(?:[/-]|$)|^(?:@babel|@eslint|@jest|@rollup|@swc|@testing-library|@typescript-eslint|@vitejs|@vitest)\/|^(?:babel|eslint|jest|postcss|prettier|rollup|stylelint|vite|vitest|webpack)-|^ts-jest$/u;

/** Tools of people, releases and task runners: code that is built does not load them. */
const STARTED = new Set(
  `@biomejs/biome @changesets/changelog-github @changesets/cli @commitlint/cli @commitlint/config-conventional concurrently
   cross-env cspell dprint eslint husky knip lage lefthook lerna lint-staged markdownlint-cli markdownlint-cli2 nodemon npm-check-updates
   npm-run-all npm-run-all2 np nx only-allow oxlint prettier publint release-it rimraf semantic-release simple-git-hooks size-limit
   sort-package-json stylelint syncpack turbo typedoc wireit yarn-deduplicate`.split(/\s+/u),
);

/** Of these, those that are made to be loaded as well. */
const LOADED_TOO = new Set(
  `concurrently eslint npm-run-all npm-run-all2 prettier publint release-it rimraf semantic-release sort-package-json stylelint
   typedoc`.split(/\s+/u),
);

/** Commands that are not called as their packages are, for lockfiles that do not name them. */
const OTHER_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  '@angular/cli': ['ng'],
  '@arethetypeswrong/cli': ['attw'],
  '@babel/cli': ['babel'],
  '@biomejs/biome': ['biome'],
  '@changesets/cli': ['changeset'],
  '@graphql-codegen/cli': ['graphql-codegen', 'gql-gen'],
  '@microsoft/api-extractor': ['api-extractor'],
  '@nestjs/cli': ['nest'],
  '@playwright/test': ['playwright'],
  '@stryker-mutator/core': ['stryker'],
  '@sveltejs/kit': ['svelte-kit'],
  '@swc/cli': ['swc'],
  'jest-cli': ['jest'],
  'npm-run-all': ['run-s', 'run-p'],
  'npm-run-all2': ['run-s', 'run-p'],
  typescript: ['tsc'],
  'webpack-cli': ['webpack'],
};

/** What a package's commands are probably called: as the package without its scope, or otherwise where that is known. */
export function probableCommands(name: string): readonly string[] {
  const plain = name.slice(name.lastIndexOf('/') + 1);
  const others = Object.hasOwn(OTHER_COMMANDS, name) ? (OTHER_COMMANDS[name] ?? []) : [];
  return [plain, ...others];
}

/**
 * Everything in a text that could name a package or a command: words, the last part of those that are paths, and the
 * package that a path into one begins with.
 */
export function wordsOf(texts: Iterable<string>): Set<string> {
  const words = new Set<string>();
  for (const text of texts) {
    for (const word of text.split(/[^\w@/.-]+/u)) {
      if (word === '') continue;
      words.add(word);
      const parts = word.split('/');
      if (parts.length === 1) continue;
      words.add(parts.at(-1) ?? '').add(parts.slice(0, word.startsWith('@') ? 2 : 1).join('/'));
    }
  }
  return words;
}

/** Names that a manifest declares to get by itself; peers come from whoever uses it. */
export function declaredNames({ dependencies }: PackageManifest): Set<string> {
  return new Set(dependencies.flatMap(({ name, kind }) => (kind === 'peer' ? [] : [name])));
}

export function peerNames({ dependencies }: PackageManifest): Set<string> {
  return new Set(dependencies.flatMap(({ name, kind }) => (kind === 'peer' ? [name] : [])));
}
