import { execFile } from 'node:child_process';
import { rename } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canonicalJson, type Plan } from '@delta-ci/contracts';
import { CHANGES_MAX, TOO_MANY_CHANGES } from '@delta-ci/planning';
import { git } from '../../../test/support/git-server/bare-repository.ts';
import type { MadeEntry, MadeTree } from '../../../test/support/git-server/made-history.ts';
import { writeObject, writeTree } from '../../../test/support/git-server/made-objects.ts';
import { OddRepositories, affectedBy, type OddRepository } from './odd-repository.fixture.ts';
import { PLAN_BYTES_MAX } from './plan-to-text.ts';

/** Histories in which the commit before is not simply the parent: what a change is compared with, and what that accounts for. */

/** Units that have nothing to do with each other. */
function treeOf(versions: Readonly<Record<string, number>>): MadeTree {
  return Object.fromEntries(
    Object.entries(versions).flatMap(([unit, version]) => [
      [`${unit}/package.json`, '{ "scripts": { "test": "node --test" } }'],
      [`${unit}/index.js`, `export const version = ${version};\n`],
    ]),
  );
}

/** A folder of files that all say the same. */
async function manyFiles({ gitDir }: OddRepository, names: readonly string[]): Promise<MadeEntry> {
  const id = await writeObject(gitDir, 'blob', 'x\n');
  const entries = names.map((name) => ({ mode: '100644', id, name }));
  return { mode: '040000', object: await writeTree(gitDir, entries) };
}

/** From here on the remote is a shallow clone of what it was, which it finds as `origin`. */
async function becomeShallow({ gitDir }: OddRepository, ...how: readonly string[]): Promise<void> {
  const whole = `${gitDir}.whole`;
  await rename(gitDir, whole);
  await promisify(execFile)('git', ['clone', '--quiet', '--bare', ...how, `file://${whole}`, gitDir]);
  await git(gitDir, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
}

describe('odd histories', () => {
  let repositories: OddRepositories;
  beforeAll(async () => {
    repositories = await OddRepositories.open();
  });
  afterAll(async () => repositories.close());

  const everythingBecause = (plan: Plan): string | null => (plan.comparedWith === null ? plan.summary : null);

  it('given a merge commit as head, then what the second parent brought in counts', async () => {
    const repository = await repositories.of([
      { tree: treeOf({ a: 1, b: 1, c: 1 }) },
      { tree: treeOf({ a: 2, b: 1, c: 1 }), parents: [0] },
      { tree: treeOf({ a: 1, b: 2, c: 1 }), parents: [0] },
      { tree: treeOf({ a: 2, b: 2, c: 1 }), parents: [1, 2] },
    ]);
    expect(affectedBy(await repository.between(1, 3))).toEqual(['b']);
    // A branch into which the target was merged brings its own changes alone.
    expect(affectedBy(await repository.between(2, 3))).toEqual(['a']);
  });

  it('given a merge that says something else than either side, then that counts too', async () => {
    const repository = await repositories.of([
      { tree: treeOf({ a: 1, b: 1, c: 1 }) },
      { tree: treeOf({ a: 2, b: 1, c: 1 }), parents: [0] },
      { tree: treeOf({ a: 1, b: 2, c: 1 }), parents: [0] },
      { tree: treeOf({ a: 2, b: 2, c: 9 }), parents: [1, 2] },
    ]);
    expect(affectedBy(await repository.between(1, 3))).toEqual(['b', 'c']);
  });

  it('given two sides merged into each other, then what one takes back of the other counts', async () => {
    const repository = await repositories.of([
      { tree: treeOf({ a: 1, b: 1, c: 1 }) },
      { tree: treeOf({ a: 2, b: 1, c: 1 }), parents: [0] },
      { tree: treeOf({ a: 1, b: 2, c: 1 }), parents: [0] },
      // Either side merges what the other had.
      { tree: treeOf({ a: 2, b: 2, c: 1 }), parents: [1, 2] },
      { tree: treeOf({ a: 2, b: 2, c: 1 }), parents: [2, 1] },
      // One of them takes back both, and changes something of its own.
      { tree: treeOf({ a: 1, b: 1, c: 2 }), parents: [4] },
    ]);
    const bases = await git(repository.gitDir, 'merge-base', '--all', 'made/4', 'made/6');
    expect(bases.split('\n')).toHaveLength(2);
    const plan = await repository.between(3, 5);
    expect({ affects: affectedBy(plan), comparedWith: plan.comparedWith }).toEqual({
      affects: ['a', 'b', 'c'],
      comparedWith: repository.commits[3],
    });
  });

  it('given a branch that was moved by force, then it is compared with where both parted', async () => {
    const repository = await repositories.of([
      { tree: treeOf({ a: 1, b: 1, c: 1 }) },
      { tree: treeOf({ a: 2, b: 1, c: 1 }), parents: [0] },
      { tree: treeOf({ a: 1, b: 1, c: 2 }), parents: [0] },
    ]);
    const plan = await repository.between(1, 2);
    // What the tested commit no longer has is as it was in the one both come from.
    expect({ affects: affectedBy(plan), comparedWith: plan.comparedWith }).toEqual({
      affects: ['c'],
      comparedWith: repository.commits[0],
    });
  });

  it('given a branch that was set back, then what it lost counts', async () => {
    const repository = await repositories.of([
      { tree: treeOf({ a: 1, b: 1, c: 1 }) },
      { tree: treeOf({ a: 2, b: 1, c: 1 }), parents: [0] },
    ]);
    expect(affectedBy(await repository.between(1, 0))).toEqual(['a']);
  });

  it.each<[string, { base: string | null; head: number }, string]>([
    ['a base that nobody has', { base: 'd'.repeat(40), head: 0 }, 'dddddddd, is gone from the remote'],
    ['the first commit of a repository', { base: null, head: 0 }, 'there is no refs/heads/main'],
    ['histories that have nothing in common', { base: 'first', head: 1 }, 'share no history'],
  ])('given %s, then everything runs, for that reason', async (_, { base, head }, reason) => {
    const repository = await repositories.of([
      { tree: treeOf({ a: 1, b: 1 }) },
      { tree: treeOf({ a: 1, b: 2 }), parents: [] },
    ]);
    const plan = await repository.plan({
      base: base === 'first' ? (repository.commits[0] ?? '') : base,
      head: repository.commits[head] ?? '',
    });
    expect(everythingBecause(plan)).toContain(reason);
    expect(affectedBy(plan)).toEqual(['a', 'b']);
  });

  it('given a remote that is a shallow clone, then everything runs and says so; once it has the whole history, it is compared', async () => {
    const repository = await repositories.of(
      [1, 2, 3, 4].map((version) => ({ tree: treeOf({ a: 1, b: version }) })).concat({ tree: treeOf({ a: 2, b: 4 }) }),
    );
    await git(repository.gitDir, 'update-ref', 'refs/heads/main', 'made/5');
    await becomeShallow(repository, '--depth=2', '--branch=main');

    expect(everythingBecause(await repository.between(0, 4))).toContain('is gone from the remote');
    const near = await repository.between(3, 4);
    expect({ affects: affectedBy(near), comparedWith: near.comparedWith }).toEqual({
      affects: ['a'],
      comparedWith: repository.commits[3],
    });

    await git(repository.gitDir, 'fetch', '--quiet', '--unshallow', 'origin');
    const far = await repository.between(0, 4);
    expect({ affects: affectedBy(far), comparedWith: far.comparedWith }).toEqual({
      affects: ['a', 'b'],
      comparedWith: repository.commits[0],
    });
  });

  it('given sides that part before where a shallow clone begins, then everything runs, for that reason', async () => {
    const repository = await repositories.of([
      { tree: treeOf({ a: 1, b: 1 }) },
      { tree: treeOf({ a: 2, b: 1 }), parents: [0] },
      { tree: treeOf({ a: 1, b: 2 }), parents: [0] },
    ]);
    await becomeShallow(repository, '--depth=1', '--no-single-branch');
    const plan = await repository.between(1, 2);
    expect(everythingBecause(plan)).toContain('the remote, a shallow clone');
    expect(affectedBy(plan)).toEqual(['a', 'b']);
  });

  it('given a change of as many files as a plan tells of, then every one is accounted for', async () => {
    const repository = await repositories.empty();
    const many = await manyFiles(
      repository,
      Array.from({ length: CHANGES_MAX }, (_, at) => `file-${at}.js`),
    );
    const tree = treeOf({ a: 1, b: 1 });
    await repository.add([
      { tree },
      { tree: { ...tree, 'a/many': many } },
      { tree: { ...tree, 'a/many': many, 'a/one-more.js': 'x\n' } },
    ]);
    const plan = await repository.between(0, 1);
    expect({ files: plan.files.length, affects: affectedBy(plan) }).toEqual({ files: CHANGES_MAX, affects: ['a'] });
    expect(Buffer.byteLength(canonicalJson(plan))).toBeLessThan(PLAN_BYTES_MAX);
    const more = await repository.between(0, 2);
    expect(everythingBecause(more)).toContain(TOO_MANY_CHANGES);
    expect({ files: more.files, affects: affectedBy(more) }).toEqual({ files: [], affects: ['a', 'b'] });
  });

  it('given paths that are longer than a plan can tell, then everything runs, for that reason', async () => {
    const repository = await repositories.empty();
    const many = await manyFiles(
      repository,
      Array.from({ length: 3_000 }, (_, at) => `${at}.js`),
    );
    const tree = treeOf({ a: 1, b: 1 });
    await repository.add([{ tree }, { tree: { ...tree, [`a/${'long/'.repeat(700)}many`]: many } }]);
    const plan = await repository.between(0, 1);
    expect(everythingBecause(plan)).toContain('the paths of the 3000 changed files are longer than a plan can tell');
    expect(affectedBy(plan)).toEqual(['a', 'b']);
  });
});
