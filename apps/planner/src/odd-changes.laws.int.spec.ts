import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { explainSubject, type Plan } from '@delta-ci/contracts';
import { git } from '../../../test/support/git-server/bare-repository.ts';
import type { MadeEntry, MadeTree } from '../../../test/support/git-server/made-history.ts';
import { OddRepositories } from './odd-repository.fixture.ts';

/** Whatever a change is made of: git says which paths differ, and the plan has to account for each of them. */

const ROOTS = ['one', 'two', 'two/inner', 'three'];
/** Names that rules have something to say about, or seem to. */
const NAMES = [
  'index.js',
  'Index.js',
  'support',
  'history',
  'README.md',
  'LICENSE',
  'eslint.config.js',
  'lib',
  'CODEOWNERS',
];
const PLACES = [...ROOTS, 'shared', 'docs'].flatMap((root) => NAMES.map((name) => `${root}/${name}`)).concat(NAMES);

const MANIFESTS: MadeTree = Object.fromEntries(
  ROOTS.map((root) => [`${root}/package.json`, `{ "scripts": { "test": "node --test ${root}" } }`]),
);

const anyEntry: fc.Arbitrary<MadeEntry> = fc.oneof(
  fc.constantFrom('one\n', 'other\n', 'a text that is long enough to be like another one\n'),
  fc.constantFrom('#!/bin/sh\n', '#!/bin/sh\nexit 1\n').map((program) => ({ program })),
  fc
    .constantFrom('../one', 'index.js', '../two/inner/lib', '../shared/LICENSE', '/etc/passwd', 'lib')
    .map((link) => ({ link })),
  fc.constantFrom('1', '2').map((digit) => ({ submodule: digit.repeat(40) })),
);
const anyTree: fc.Arbitrary<MadeTree> = fc
  .dictionary(fc.constantFrom(...PLACES), anyEntry, { maxKeys: 14 })
  .map((entries) => ({ ...MANIFESTS, ...entries }));

/** The unit with the longest root around a path; undefined for a file of nobody. */
const ownerOf = (path: string): string | undefined =>
  ROOTS.toSorted((one, other) => other.length - one.length).find((root) => path.startsWith(`${root}/`));

/** Rules that may say that nothing of a plain file concerns any job. */
const NAMED = ['documentation', 'lint-configuration', 'not-read-by-jobs'];

interface Difference {
  readonly path: string;
  /** Of both sides, where there is something. */
  readonly modes: readonly string[];
}

async function differencesIn(gitDir: string, base: string, head: string): Promise<Difference[]> {
  const raw = await git(gitDir, 'diff-tree', '-r', '--no-renames', base, head);
  return raw
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [header = '', path = ''] = line.split('\t');
      const modes = header.slice(1).split(' ').slice(0, 2);
      return { path, modes: modes.filter((mode) => mode !== '000000') };
    });
}

/** What is called `support` may be a folder behind a link, or a program; a readme is for people whatever can be done with it. */
const isPage = (path: string, mode: string): boolean => mode !== '160000' && !/(?:support|history)$/u.test(path);

/** What a plan leaves out of account; empty when it is right. */
function unaccounted(plan: Plan, { path, modes }: Difference): string[] {
  const told =
    plan.files.find((file) => file.path === path) ??
    plan.files.find(({ sentence }) => sentence.includes(` from ${path}:`));
  if (told === undefined) return [`${path} is not told of`];
  if (explainSubject(plan, told.path) === null) return [`${path} is not explained`];
  const affected = new Set(plan.units.filter((unit) => unit.affected).map(({ id }) => id));
  const owner = ownerOf(path);
  const reached = owner === undefined ? ROOTS.every((root) => affected.has(root)) : affected.has(owner);
  if (reached) return [];
  // Of a renamed file the place is told of that reaches more.
  const isNamed = NAMED.includes(told.rule) || (told.status === 'renamed' && !/(?:[iI]ndex\.js|lib)$/u.test(path));
  const mayBeNothing = isNamed && modes.every((mode) => mode === '100644' || isPage(path, mode));
  return mayBeNothing
    ? []
    : [`${path} (${modes.join(' ')}) reaches not even its owner: ${told.rule}: ${told.sentence}`];
}

describe('laws of odd changes', () => {
  let repositories: OddRepositories;
  beforeAll(async () => {
    repositories = await OddRepositories.open();
  });
  afterAll(async () => repositories.close());

  it('law: every unit that owns a changed path, at its old place or its new one, is affected or explained by name', async () => {
    await fc.assert(
      fc.asyncProperty(anyTree, anyTree, async (before, after) => {
        const repository = await repositories.of([{ tree: before }, { tree: after }]);
        const [base = '', head = ''] = repository.commits;
        const differences = await differencesIn(repository.gitDir, base, head);
        const plan = await repository.plan({ base, head });
        expect(plan.comparedWith).toBe(base);
        expect(differences.flatMap((each) => unaccounted(plan, each))).toEqual([]);
        expect(plan.files.length === 0).toBe(differences.length === 0);
      }),
      { numRuns: 25 },
    );
  });
});
