import { CONFIG_FILE_NAMES, type JobKind } from '@delta-ci/contracts';
import type { Unit } from '../model.ts';
import { fileNameOf, folderOf } from '../tree-paths.ts';
import { declaredInput } from './declared-input.ts';
import type { ChangedPlace } from './changed-places.ts';
import type { FileRule } from './file-rule.ts';
import type { Reach } from './impact.ts';
import { concernedBy, nameOf, unitsWithin } from './world.ts';

const CI_FILES =
  /^(?:\.github\/(?:workflows|actions)\/.*|\.gitlab-ci\.ya?ml|\.gitlab\/ci\/.*|\.circleci\/.*|\.buildkite\/.*|\.woodpecker(?:\.ya?ml|\/.*)|\.drone\.ya?ml|\.travis\.ya?ml|azure-pipelines\.ya?ml|bitbucket-pipelines\.ya?ml|Jenkinsfile)$/u;

/** What runs and how: nothing that was found out before holds for certain. */
export const ciConfiguration: FileRule = (path, world) => {
  const own: readonly string[] = CONFIG_FILE_NAMES;
  if (!own.includes(path) && !CI_FILES.test(path)) return null;
  return {
    rule: 'ci-configuration',
    reaches: world.everyUnit,
    because: 'it configures continuous integration, so everything runs',
  };
};

export const checkoutConfiguration: FileRule = (path, world) => {
  if (!['.gitattributes', '.gitmodules', '.lfsconfig'].includes(fileNameOf(path))) return null;
  return {
    rule: 'checkout-configuration',
    reaches: world.everyUnit,
    because: 'it changes how files are checked out, so everything runs',
  };
};

const NOT_READ =
  /^(?:\.vscode|\.idea|\.devcontainer)\/|^\.github\/(?:ISSUE_TEMPLATE|PULL_REQUEST_TEMPLATE|DISCUSSION_TEMPLATE)\b|^(?:\.github\/|docs\/)?(?:CODEOWNERS|FUNDING\.ya?ml|dependabot\.ya?ml|stale\.ya?ml|labeler\.ya?ml)$|^\.?renovate(?:rc)?(?:\.json5?)?$|(?:^|\/)\.(?:DS_Store|mailmap|git-blame-ignore-revs)$/u;

/** Editors, forges and robots read these; jobs do not. */
export const notReadByJobs: FileRule = (path) =>
  NOT_READ.test(path)
    ? { rule: 'not-read-by-jobs', reaches: [], because: 'it is read by editors or the forge, not by jobs' }
    : null;

/** Versions a release robot noted last. Whoever formats or checks everything may read them even so. */
const RELEASE_NOTED = /^\.release-please-manifest\.json$/u;
const READS_EVERYTHING = /prettier|\bbiome|release-please|template-oss/u;

/** What a release robot remembers between its runs: no job asks for it, so a release reaches what it releases. */
export const releaseNoted: FileRule = (path, world) => {
  if (!RELEASE_NOTED.test(path)) return null;
  if (world.head.units.some(({ commands }) => commands.some(({ text }) => READS_EVERYTHING.test(text)))) return null;
  return {
    rule: 'not-read-by-jobs',
    reaches: [],
    because: 'it is what a release robot remembers, and no script reads it',
  };
};

const PROSE_NAME =
  /^(?:readme|changelog|changes|history|contributing|code_of_conduct|security|support|governance|maintainers|authors|contributors|roadmap|license|licence|copying|notice)(?:[.-][\w.-]*)?$/iu;
const PROSE = /\.(?:md|markdown|rst|adoc)$/iu;
const PROSE_FOLDER = /(?:^|\/)(?:docs?|\.github|\.changeset)\//iu;

/** Below these, prose is material: of tests, of generators, or of a site that is built from it. */
const MATERIAL =
  /(?:^|\/)(?:src|app|pages|content|public|static|templates?|tests?|__tests__|spec|e2e|fixtures|__fixtures__|testdata|snapshots|__snapshots__)\//iu;

export const documentation: FileRule = (path, world, holds) => {
  if (!isProse(path) || isNamedLikeProse(path, holds) || MATERIAL.test(path)) return null;
  const { owners } = concernedBy(world, path);
  if (owners.some(({ root }) => PROSE_FOLDER.test(`${root}/`))) return null;
  const readers = owners.flatMap((unit) =>
    reachKinds(unit, (text) => /\.md\b|markdown|remark|\bdocs?\b|readme/iu.test(text)),
  );
  const declared = declaredInput(path, world, holds);
  if (declared !== null) return { ...declared, reaches: [...declared.reaches, ...readers] };
  if (readers.length === 0)
    return { rule: 'documentation', reaches: [], because: 'it is documentation that no job reads' };
  return { rule: 'documentation-read', reaches: readers, because: 'it is documentation that a script reads' };
};

/** What people read, by its name and place. */
export function isProse(path: string): boolean {
  const name = fileNameOf(path);
  const bare = PROSE_NAME.test(name) && (PROSE.test(name) || !/\.[cm]?[jt]sx?$|\.json$|\.go$/iu.test(name));
  if (bare) return true;
  return PROSE.test(name) && (PROSE_FOLDER.test(path) || folderOf(path) === '.');
}

/** What is called `support` or `history` may be a program, or a whole folder, once it is no plain file. */
function isNamedLikeProse(path: string, holds: ChangedPlace['holds']): boolean {
  if (holds.has('submodule')) return true;
  const isPage = PROSE.test(path) || PAGE_NAME.test(fileNameOf(path));
  return !isPage && (holds.has('program') || holds.has('link'));
}

const PAGE_NAME = /^(?:readme|changelog|license|licence|copying|notice|authors|contributors|contributing)(?:[.-]|$)/iu;

/** Kinds of jobs of a unit whose commands a test of their text says yes to, and those named. */
function reachKinds(unit: Unit, mentions: (text: string) => boolean, always: readonly JobKind[] = []): Reach[] {
  const kinds = unit.commands
    .filter(({ kind, text }) => always.includes(kind) || mentions(text))
    .map(({ kind }) => kind);
  if (kinds.length === 0) return [];
  // Who depends on a unit notices when it is built differently.
  return [{ unit: unit.id, kinds: kinds.includes('build') ? 'all' : kinds }];
}

const LINT_FILES: readonly (readonly [name: RegExp, tools: RegExp])[] = [
  [/^(?:\.eslintrc(?:\..*)?|\.eslintignore|eslint\.config\..*)$/u, /\beslint|\bxo\b|\bstandard\b/u],
  [/^(?:\.prettierrc(?:\..*)?|\.prettierignore|prettier\.config\..*)$/u, /prettier/u],
  [/^(?:\.stylelintrc(?:\..*)?|\.stylelintignore|stylelint\.config\..*)$/u, /stylelint/u],
  [/^(?:biome\.jsonc?|rome\.json)$/u, /\bbiome|\brome\b/u],
  [/^(?:\.oxlintrc\.json|oxlint\.json)$/u, /oxlint/u],
  [/^\.editorconfig$/u, /prettier|eclint|editorconfig|shfmt/u],
  [/^(?:\.gitignore|\.ignore)$/u, /eslint|prettier|stylelint|biome|oxlint|\bgit\b/u],
  [
    /^\.(?:markdownlint|cspell|commitlintrc|lintstagedrc)(?:\..*|-cli2\..*)?$/u,
    /markdownlint|cspell|commitlint|lint-staged/u,
  ],
  [/^\.golangci\.(?:ya?ml|toml|json)$/u, /golangci-lint/u],
];

/** Whether commands are scripts, which may run any tool of this kind without naming it. */
function isScripted({ ecosystem }: Unit): boolean {
  return ecosystem === 'npm' || ecosystem === 'pnpm';
}

/** Configuration of linters and formatters: read by lint jobs, and by any other whose script names the tool. */
export const lintConfiguration: FileRule = (path, world) => {
  const tools = LINT_FILES.find(([name]) => name.test(fileNameOf(path)))?.[1];
  if (tools === undefined) return null;
  const reaches = unitsWithin(world, folderOf(path)).flatMap((unit) =>
    reachKinds(unit, (text) => tools.test(text), isScripted(unit) ? ['lint'] : []),
  );
  const because =
    reaches.length === 0 ? 'it configures a linter that no job runs' : 'it configures a linter, which lint jobs read';
  return { rule: 'lint-configuration', reaches, because };
};

const TEST_FILES =
  /^(?:jest|vitest|ava|karma|cypress|playwright|wdio)\.(?:config|workspace|setup|preset)\.\w+$|^\.mocharc(?:\..*)?$|^\.(?:nycrc|c8rc)(?:\..*)?$/u;

/** Configuration of test runners: read by test jobs, and by any other whose script names the tool. */
export const testConfiguration: FileRule = (path, world) => {
  const name = fileNameOf(path);
  if (!TEST_FILES.test(name)) return null;
  const tool = /^\.?([a-z0-9]+?)(?:rc)?(?:\.|$)/u.exec(name)?.[1] ?? name;
  const { owners } = concernedBy(world, path);
  const within = unitsWithin(world, folderOf(path)).filter(isScripted);
  const nested = within.filter(({ id }) => !owners.some((owner) => owner.id === id && owner.workspaceMeaning === null));
  const direct = owners.filter(({ id, workspaceMeaning }) => workspaceMeaning === null && world.headUnits.has(id));
  const reaches: Reach[] = [
    ...direct.map(({ id }): Reach => ({ unit: id, kinds: 'all' })),
    ...nested.flatMap((unit) => reachKinds(unit, (text) => text.includes(tool), ['test'])),
  ];
  return reaches.length === 0
    ? null
    : { rule: 'test-configuration', reaches, because: 'it configures a test runner, which test jobs read' };
};

export const typescriptConfiguration: FileRule = (path, world) => {
  if (!/^tsconfig(?:[.-].*)?\.json$|^tsconfig$/u.test(fileNameOf(path))) return null;
  const units = unitsWithin(world, folderOf(path)).filter(({ typescript }) => typescript);
  if (units.length === 0) return null;
  const owners = concernedBy(world, path).ids;
  const readers = world.declarations.of(path).map(({ unit }) => unit.id);
  const ids = [...new Set([...units.map(({ id }) => id), ...owners, ...readers])];
  const because = `it configures TypeScript for ${units.length === 1 ? nameOf(units[0] ?? nobody()) : `the ${units.length} TypeScript units below it`}`;
  return { rule: 'typescript-configuration', reaches: ids.map((unit) => ({ unit, kinds: 'all' })), because };
};

function nobody(): never {
  throw new Error('a list of one has a first member');
}

const TOOLCHAIN_FILES: readonly (readonly [name: RegExp, concerns: (unit: Unit) => boolean])[] = [
  [/^(?:\.nvmrc|\.node-version|\.npmrc|\.yarnrc(?:\.yml)?|\.pnpmfile\.c?js|bunfig\.toml)$/u, isScripted],
  [/^(?:go\.work|go\.work\.sum|\.go-version)$/u, ({ ecosystem }) => ecosystem === 'go'],
  [/^(?:\.tool-versions|\.?mise\.toml|\.prototools|flake\.nix|flake\.lock|shell\.nix|\.envrc)$/u, () => true],
];

/** Versions and settings of the tools themselves. */
export const toolchainFile: FileRule = (path, world) => {
  const concerns = TOOLCHAIN_FILES.find(([name]) => name.test(fileNameOf(path)))?.[1];
  if (concerns === undefined) return null;
  const units = unitsWithin(world, folderOf(path)).filter(concerns);
  const ids = [...new Set([...units.map(({ id }) => id), ...concernedBy(world, path).ids])];
  if (ids.length === 0) return null;
  return {
    rule: 'toolchain-file',
    reaches: ids.map((unit) => ({ unit, kinds: 'all' })),
    because: 'it sets up the tools that every unit below it is built with',
  };
};
