import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Git } from './git.ts';
import { openLocalRepository } from './local-repository.ts';
import { errorOf, MadeRepository, TemporaryPlaces, TEST_ENVIRONMENT, valueOf } from './made-repository.fixture.ts';
import { OpenedRepositories, PLAIN_GIT } from './opened-repositories.fixture.ts';

const places = new TemporaryPlaces();
const opened = new OpenedRepositories();
afterEach(() => opened.closeAll());
afterAll(() => places.removeAll());

/** As a clone has it. */
function remoteDefault(made: MadeRepository, branch: string, fetched = true): void {
  if (fetched) made.git(['update-ref', `refs/remotes/origin/${branch}`, 'HEAD']);
  made.git(['symbolic-ref', 'refs/remotes/origin/HEAD', `refs/remotes/origin/${branch}`]);
}

/** A remote whose default branch nobody has asked for, and branches of it that were fetched. */
function remoteAdded(made: MadeRepository, branches: readonly string[] = [], name = 'origin'): void {
  made.git(['remote', 'add', name, 'https://forge.example.test/shop.git']);
  for (const branch of branches) made.git(['update-ref', `refs/remotes/${name}/${branch}`, 'HEAD']);
}

/** As a clone, or a push with `-u`, leaves a branch. */
function following(made: MadeRepository, branch: string): void {
  remoteAdded(made, ['develop', branch]);
  made.git(['branch', '-m', branch]);
  made.git(['branch', '--quiet', `--set-upstream-to=origin/${branch}`]);
}

describe('opening', () => {
  it('given a directory deep in a repository, when opened, then its top is found', async () => {
    const made = await places.repository();
    await mkdir(join(made.root, 'a/b'), { recursive: true });
    const repository = valueOf(await openLocalRepository(PLAIN_GIT, join(made.root, 'a/b')));
    expect(repository.root).toBe(made.root);
    expect(repository.gitDir).toBe(made.gitDir);
    expect(valueOf(await repository.currentBranch())).toBe('refs/heads/main');
    expect(valueOf(await repository.remoteUrl())).toBeNull();
  });

  it('given what is no working repository, when opened, then the refusal says what to do', async () => {
    const empty = await places.directory();
    const refused = await openLocalRepository(PLAIN_GIT, empty);
    expect(errorOf(refused)).toBe('not_a_repository');
    expect(!refused.ok && refused.error.message).toContain('git init');
    const bare = await places.repository();
    expect(errorOf(await openLocalRepository(PLAIN_GIT, bare.gitDir))).toBe('bare_repository');
    expect(errorOf(await openLocalRepository(PLAIN_GIT, join(empty, 'nothing')))).toBe('invalid_directory');
    expect(errorOf(await openLocalRepository(PLAIN_GIT, 'relative'))).toBe('invalid_directory');
  });

  it('given no git, or one that is too old, when opened, then that is said', async () => {
    const made = await places.repository();
    const bin = await places.directory();
    const none = new Git({ environment: { PATH: bin } });
    expect(errorOf(await openLocalRepository(none, made.root))).toBe('git_not_found');
    await writeFile(join(bin, 'git'), '#!/bin/sh\necho git version 2.17.1\n');
    await chmod(join(bin, 'git'), 0o755);
    const old = new Git({ program: join(bin, 'git'), environment: TEST_ENVIRONMENT });
    expect(errorOf(await openLocalRepository(old, made.root))).toBe('git_too_old');
  });

  it('given a linked working tree, when opened, then it is that one, with the history of both', async () => {
    const made = await places.repository();
    await made.write('a', 'a');
    const commit = made.commitAll('one');
    const linked = join(await places.directory(), 'linked');
    made.git(['worktree', 'add', '--quiet', '-b', 'side', linked]);
    await writeFile(join(linked, 'b'), 'b');
    const other = new MadeRepository(linked);
    expect(valueOf(await (await opened.open(other)).resolveRef('HEAD'))).toBe(commit);
    expect(await opened.uncommitted(other)).toEqual(['A b']);
    expect(await opened.uncommitted(made)).toEqual([]);
    expect(valueOf(await (await opened.open(other)).commonDir())).toBe(await realpath(made.gitDir));
    expect(valueOf(await (await opened.open(made)).commonDir())).toBe(await realpath(made.gitDir));
  });

  it.each<[string, (made: MadeRepository) => void, string | null]>([
    ['a remote that has a default branch', (made) => remoteDefault(made, 'trunk'), 'refs/heads/trunk'],
    ['a remote whose default branch is not here', (made) => remoteDefault(made, 'far', false), 'refs/heads/far'],
    ['a branch main', () => undefined, 'refs/heads/main'],
    ['a branch master alone', (made) => void made.git(['branch', '-m', 'master']), 'refs/heads/master'],
    ['other branches alone', (made) => void made.git(['branch', '-m', 'trunk']), null],
    ['a branch main that follows the remote’s main', (made) => following(made, 'main'), 'refs/heads/main'],
    ['a branch master that follows the remote’s master', (made) => following(made, 'master'), 'refs/heads/master'],
    ['a branch main, and a remote that was never fetched', (made) => remoteAdded(made), null],
    ['a branch main, and a remote that has no such', (made) => remoteAdded(made, ['develop']), null],
    ['a branch main that does not follow the remote’s main', (made) => remoteAdded(made, ['develop', 'main']), null],
    ['a branch main, and a remote of another name', (made) => remoteAdded(made, ['main'], 'upstream'), null],
    [
      'a branch main that followed what is gone from the remote',
      (made) => {
        following(made, 'main');
        made.git(['update-ref', '-d', 'refs/remotes/origin/main']);
      },
      null,
    ],
  ])('given %s, when opened, then that is the branch changes go into, or none is', async (_, prepare, expected) => {
    const made = await places.repository();
    await made.write('a', 'a');
    made.commitAll('one');
    prepare(made);
    expect(valueOf(await (await opened.open(made)).mainBranch())).toBe(expected);
  });
});
