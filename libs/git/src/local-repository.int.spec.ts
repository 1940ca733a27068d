import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { exportTree } from './export-tree.ts';
import { Git } from './git.ts';
import { LocalRepository, openLocalRepository } from './local-repository.ts';
import { errorOf, MadeRepository, TemporaryPlaces, TEST_ENVIRONMENT, valueOf } from './made-repository.fixture.ts';
import type { SnapshotOptions, WorktreeSnapshot } from './worktree-snapshot.ts';

const git = new Git({ environment: TEST_ENVIRONMENT });
const places = new TemporaryPlaces();
const toClose: { close: () => Promise<void> }[] = [];

async function open(made: MadeRepository, using = git): Promise<LocalRepository> {
  const repository = valueOf(await openLocalRepository(using, made.root));
  toClose.push(repository);
  return repository;
}

async function snapshot(made: MadeRepository, options: SnapshotOptions = {}, using = git): Promise<WorktreeSnapshot> {
  const taken = valueOf(await (await open(made, using)).snapshot(options));
  toClose.push(taken);
  return taken;
}

/** What differs between the checked-out commit and the snapshot, as `status path`. */
async function uncommitted(made: MadeRepository): Promise<string[]> {
  const taken = await snapshot(made);
  const changes = valueOf(await taken.reader.diff(made.git(['rev-parse', 'HEAD']), taken.treeId));
  return changes.map((change) => `${change.status} ${change.path}`);
}

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

/** Names, sizes, times and contents of everything in a repository, as one digest. */
async function fingerprint(directory: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.toSorted((a, b) =>
    join(a.parentPath, a.name).localeCompare(join(b.parentPath, b.name)),
  )) {
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path} ${(await lstat(path)).mtimeMs}\n`);
    if (entry.isFile()) hash.update(await readFile(path));
  }
  return hash.digest('hex');
}

afterEach(async () => {
  await Promise.all(toClose.splice(0).map((thing) => thing.close()));
});
afterAll(() => places.removeAll());

describe('opening', () => {
  it('given a directory deep in a repository, when opened, then its top is found', async () => {
    const made = await places.repository();
    await mkdir(join(made.root, 'a/b'), { recursive: true });
    const repository = valueOf(await openLocalRepository(git, join(made.root, 'a/b')));
    expect(repository.root).toBe(made.root);
    expect(repository.gitDir).toBe(made.gitDir);
    expect(valueOf(await repository.currentBranch())).toBe('refs/heads/main');
    expect(valueOf(await repository.remoteUrl())).toBeNull();
  });

  it('given what is no working repository, when opened, then the refusal says what to do', async () => {
    const empty = await places.directory();
    const refused = await openLocalRepository(git, empty);
    expect(errorOf(refused)).toBe('not_a_repository');
    expect(!refused.ok && refused.error.message).toContain('git init');
    const bare = await places.repository();
    expect(errorOf(await openLocalRepository(git, bare.gitDir))).toBe('bare_repository');
    expect(errorOf(await openLocalRepository(git, join(empty, 'nothing')))).toBe('invalid_directory');
    expect(errorOf(await openLocalRepository(git, 'relative'))).toBe('invalid_directory');
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
    expect(valueOf(await (await open(other)).resolveRef('HEAD'))).toBe(commit);
    expect(await uncommitted(other)).toEqual(['A b']);
    expect(await uncommitted(made)).toEqual([]);
    expect(valueOf(await (await open(other)).commonDir())).toBe(await realpath(made.gitDir));
    expect(valueOf(await (await open(made)).commonDir())).toBe(await realpath(made.gitDir));
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
    expect(valueOf(await (await open(made)).mainBranch())).toBe(expected);
  });
});

describe('a snapshot of the working tree', () => {
  it('given nothing uncommitted, when taken, then it is the tree of the commit', async () => {
    const made = await places.repository();
    await made.write('a/b', 'x');
    made.commitAll('one');
    expect((await snapshot(made)).treeId).toBe(made.git(['rev-parse', 'HEAD^{tree}']));
  });

  it('given changes of every kind, when taken, then it holds all but what is ignored', async () => {
    const made = await places.repository();
    await made.write('.gitignore', 'ignored\n');
    for (const name of ['edited', 'deleted', 'staged', 'mode', 'removed-from-index']) await made.write(name, name);
    await made.write('becomes-directory', 'file');
    made.commitAll('one');
    await made.write('edited', 'other');
    await rm(join(made.root, 'deleted'));
    await made.write('staged', 'staged then');
    made.git(['add', 'staged']);
    await chmod(join(made.root, 'mode'), 0o755);
    made.git(['rm', '--quiet', '--cached', 'removed-from-index']);
    await rm(join(made.root, 'becomes-directory'));
    await made.write('becomes-directory/inner', 'x');
    await made.write('new/üñ\nline', 'x');
    await made.write(Buffer.from([0x6e, 0xff]), 'x');
    await made.write('ignored', 'x');
    await made.write('intended', 'x');
    made.git(['add', '--intent-to-add', 'intended']);
    await symlink('/etc/passwd', join(made.root, 'link'));
    expect((await uncommitted(made)).toSorted()).toEqual(
      [
        'A becomes-directory/inner',
        'A intended',
        'A link',
        'A new/üñ\nline',
        'A n\u{10FEFF}',
        'D becomes-directory',
        'D deleted',
        'M edited',
        'M mode',
        'M staged',
      ].toSorted(),
    );
  });

  it('given a snapshot, when taken, then nothing in the repository was written, and closing leaves nothing behind', async () => {
    const made = await places.repository();
    await made.write('a', 'a');
    made.commitAll('one');
    await made.write('a', 'b');
    await made.write('new', 'n');
    const before = await fingerprint(made.root);
    const taken = valueOf(await (await open(made)).snapshot());
    expect(await fingerprint(made.root)).toBe(before);
    expect(existsSync(taken.reader.gitDir)).toBe(true);
    await taken.close();
    expect(existsSync(taken.reader.gitDir)).toBe(false);
  });

  it('given an edit of the same size in the same second as the last add, when taken, then it is seen', async () => {
    const made = await places.repository();
    await made.write('a', 'one');
    made.commitAll('one');
    await made.write('a', 'two');
    const second = 1_700_000_000;
    await utimes(join(made.root, 'a'), second, second);
    made.git(['add', 'a']);
    made.git(['commit', '--quiet', '--message', 'two']);
    await made.write('a', 'six');
    await utimes(join(made.root, 'a'), second, second);
    await utimes(join(made.gitDir, 'index'), second, second);
    expect(await uncommitted(made)).toEqual(['M a']);
  });

  it('given no commit and no index, when taken, then every file is in it', async () => {
    const made = await places.repository();
    await made.write('a', 'a');
    const taken = await snapshot(made);
    expect(valueOf(await taken.reader.listTree(taken.treeId)).map((entry) => entry.path)).toEqual(['a']);
    expect(errorOf(await (await open(made)).defaultBase({ differentFromHead: false }))).toBe('no_commits');
  });

  it('given a conflict, when taken, then the file is in it as it lies there', async () => {
    const made = await places.repository();
    await made.write('a', 'base\n');
    made.commitAll('base');
    made.git(['checkout', '--quiet', '-b', 'side']);
    await made.write('a', 'side\n');
    made.commitAll('side');
    made.git(['checkout', '--quiet', 'main']);
    await made.write('a', 'main\n');
    made.commitAll('main');
    expect(() => made.git(['merge', '--quiet', 'side'])).toThrow('Command failed');
    expect(await uncommitted(made)).toEqual(['M a']);
  });

  it('given ignore rules of the user and of the repository alone, when taken, then both count', async () => {
    const home = await places.directory();
    await mkdir(join(home, '.config/git'), { recursive: true });
    await writeFile(join(home, '.config/git/ignore'), '*.mine\n');
    const asUser = new Git({ environment: { ...TEST_ENVIRONMENT, HOME: home } });
    const made = await places.repository();
    made.commitAll('one');
    await writeFile(join(made.gitDir, 'info/exclude'), '*.local\n');
    for (const name of ['a.mine', 'a.local', 'a.new']) await made.write(name, 'x');
    const taken = await snapshot(made, {}, asUser);
    expect(valueOf(await taken.reader.listTree(taken.treeId)).map((entry) => entry.path)).toEqual(['a.new']);
    await writeFile(join(home, 'rules'), '*.new\n');
    await writeFile(join(home, '.gitconfig'), '[core]\n\texcludesFile = ~/rules\n');
    const named = await snapshot(made, {}, asUser);
    expect(valueOf(await named.reader.listTree(named.treeId)).map((entry) => entry.path)).toEqual(['a.mine']);
  });

  it('given a repository inside, when taken, then it is left out and said so; given a submodule, then its commit counts', async () => {
    const inner = await places.repository();
    await inner.write('x', 'x');
    inner.commitAll('inner');
    const made = await places.repository();
    made.git(['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', `file://${inner.root}`, 'sub']);
    made.commitAll('one');
    const sub = new MadeRepository(join(made.root, 'sub'));
    await sub.write('x', 'dirty');
    expect(await uncommitted(made)).toEqual([]);
    const moved = sub.commitAll('moved');
    await mkdir(join(made.root, 'nested'));
    new MadeRepository(join(made.root, 'nested')).git(['init', '--quiet']);
    await made.write('nested/file', 'x');
    const taken = await snapshot(made);
    expect(taken.nestedRepositories).toEqual(['nested']);
    const [change] = valueOf(await taken.reader.diff(made.git(['rev-parse', 'HEAD']), taken.treeId));
    expect(change).toMatchObject({ status: 'M', path: 'sub', newBlobId: moved });
  });

  it('given a split index, when taken, then it is understood', async () => {
    const made = await places.repository();
    await made.write('a', 'a');
    made.commitAll('one');
    made.git(['update-index', '--split-index']);
    await made.write('b', 'b');
    made.git(['add', 'b']);
    expect(await uncommitted(made)).toEqual(['A b']);
  });

  it('given line endings that are converted, when taken, then they are as git itself would commit them', async () => {
    const made = await places.repository();
    made.git(['config', 'core.autocrlf', 'true']);
    await made.write('.gitattributes', '*.bin -text\n');
    await made.write('a.txt', 'one\r\ntwo\r\n');
    await made.write('a.bin', 'one\r\n');
    const taken = await snapshot(made);
    made.commitAll('same');
    expect(taken.treeId).toBe(made.git(['rev-parse', 'HEAD^{tree}']));
  });

  it('given more files or bytes than a snapshot may take, when taken, then the refusal names one', async () => {
    const made = await places.repository();
    made.commitAll('one');
    for (const name of ['a', 'b', 'c']) await made.write(name, 'x'.repeat(100));
    const repository = await open(made);
    expect(errorOf(await repository.snapshot({ maxFiles: 2 }))).toBe('worktree_too_large');
    const refused = await repository.snapshot({ maxBytes: 250 });
    expect(errorOf(refused)).toBe('worktree_too_large');
    expect(!refused.ok && refused.error.message).toMatch(/largest is [abc] \(100\)/u);
  });

  it('given programs in configuration, attributes and hooks, when taken and exported, then none of them runs', async () => {
    const made = await places.repository();
    const proof = join(await places.directory(), 'ran');
    await made.write('.gitattributes', '* filter=evil\n');
    await made.write('a', 'a');
    made.commitAll('one');
    for (const name of ['core.fsmonitor', 'filter.evil.clean', 'filter.evil.smudge', 'filter.evil.process']) {
      made.git(['config', name, `touch ${proof}; cat`]);
    }
    made.git(['config', 'filter.evil.required', 'true']);
    await writeFile(join(made.gitDir, 'hooks/post-index-change'), `#!/bin/sh\ntouch ${proof}\n`);
    await chmod(join(made.gitDir, 'hooks/post-index-change'), 0o755);
    await made.write('a', 'changed');
    const taken = await snapshot(made);
    const target = await places.directory();
    valueOf(await exportTree(git, { gitDir: taken.reader.gitDir, treeish: taken.treeId, directory: target }));
    expect(await readFile(join(target, 'a'), 'utf8')).toBe('changed');
    expect(existsSync(proof)).toBe(false);
    expect(() => made.git(['add', 'a'])).toThrow('Command failed');
    expect(existsSync(proof)).toBe(true);
  });
});

describe('exporting a tree', () => {
  it('given every kind of entry, when exported, then files, programs, links and odd names are as committed', async () => {
    const made = await places.repository();
    await made.write('dir/plain', 'plain');
    await made.write('new\nline', 'x');
    await made.write('run', 'x');
    await chmod(join(made.root, 'run'), 0o755);
    await symlink('../outside', join(made.root, 'dir/link'));
    made.git(['add', '--all']);
    made.git(['update-index', '--add', '--cacheinfo', `160000,${'c'.repeat(40)},sub`]);
    made.git(['commit', '--quiet', '--message', 'one']);
    const target = await places.directory();
    const repository = await open(made);
    valueOf(
      await exportTree(git, { gitDir: repository.gitDir, treeish: made.git(['rev-parse', 'HEAD']), directory: target }),
    );
    expect((await readdir(target)).toSorted()).toEqual(['dir', 'new\nline', 'run', 'sub']);
    expect(await readFile(join(target, 'dir/plain'), 'utf8')).toBe('plain');
    expect(await readlink(join(target, 'dir/link'))).toBe('../outside');
    expect((await stat(join(target, 'run'))).mode & 0o111).not.toBe(0);
    expect((await stat(join(target, 'dir/plain'))).mode & 0o111).toBe(0);
    expect(await readdir(join(target, 'sub'))).toEqual([]);
  });

  it('given trees that lead elsewhere, when exported, then they are refused and nothing is written outside', async () => {
    const made = await places.repository();
    made.commitAll('one');
    const blob = made.git(['hash-object', '-w', '--stdin'], 'x');
    const inner = made.git(['mktree'], `100644 blob ${blob}\tconfig\n`);
    const outer = await places.directory();
    const trees = ['.git', '..', '.GIT', 'git~1'].map((name) =>
      made.git(['mktree'], `040000 tree ${inner}\t${name}\n`),
    );
    trees.push(made.git(['mktree'], `100644 blob ${blob}\t..\n`));
    for (const [at, treeish] of trees.entries()) {
      const directory = join(outer, `${at}`);
      await mkdir(directory);
      expect(errorOf(await exportTree(git, { gitDir: made.gitDir, treeish, directory }))).toBe('invalid_path');
      expect(await readdir(directory)).toEqual([]);
    }
    expect(await readdir(outer)).toHaveLength(trees.length);
  });

  it('given a link and a file below its name, when exported, then the link is never followed', async () => {
    const made = await places.repository();
    const outside = await places.directory();
    const blob = made.git(['hash-object', '-w', '--stdin'], 'x');
    const link = made.git(['hash-object', '-w', '--stdin'], outside);
    const inner = made.git(['mktree'], `100644 blob ${blob}\tfile\n`);
    const entry = (mode: string, name: string, id: string): Buffer =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
    const raw = Buffer.concat([entry('120000', 'a', link), entry('40000', 'a', inner)]);
    const treeish = made.git(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], raw);
    const directory = await places.directory();
    await exportTree(git, { gitDir: made.gitDir, treeish, directory });
    expect(await readdir(outside)).toEqual([]);
  });

  it('given a directory that is not empty, not there, a link or relative, when exported, then it is refused', async () => {
    const made = await places.repository();
    const treeish = made.commitAll('one');
    const full = await places.directory();
    await writeFile(join(full, 'x'), '');
    await symlink(await places.directory(), join(full, 'link'));
    for (const directory of [full, join(full, 'none'), join(full, 'x'), join(full, 'link'), 'relative']) {
      expect(errorOf(await exportTree(git, { gitDir: made.gitDir, treeish, directory }))).toBe('invalid_directory');
    }
    const directory = await places.directory();
    const unknown = { gitDir: made.gitDir, treeish: 'a'.repeat(40), directory };
    expect(errorOf(await exportTree(git, unknown))).toBe('object_not_found');
    expect(errorOf(await exportTree(git, { ...unknown, treeish: 'HEAD' }))).toBe('invalid_commit_id');
  });
});

describe('the default base', () => {
  async function baseOf(made: MadeRepository, differentFromHead = true): Promise<unknown> {
    return valueOf(await (await open(made)).defaultBase({ differentFromHead }));
  }

  it('given one commit alone, then nothing is before it; given two, then the first parent is the base', async () => {
    const made = await places.repository();
    const first = made.commitAll('one');
    expect(await baseOf(made)).toEqual({ commit: null, origin: 'nothing_before' });
    made.commitAll('two');
    expect(await baseOf(made)).toEqual({ commit: first, origin: 'first_parent' });
  });

  it('given uncommitted changes on main, then the head itself is the base', async () => {
    const made = await places.repository();
    const head = made.commitAll('one');
    expect(await baseOf(made, false)).toEqual({ commit: head, origin: 'main_branch', ref: 'refs/heads/main' });
  });

  it('given a branch of main, then where it left main is the base', async () => {
    const made = await places.repository();
    const fork = made.commitAll('one');
    made.git(['checkout', '--quiet', '-b', 'topic']);
    made.commitAll('two');
    made.commitAll('three');
    made.git(['checkout', '--quiet', 'main']);
    made.commitAll('meanwhile');
    made.git(['checkout', '--quiet', 'topic']);
    expect(await baseOf(made)).toEqual({ commit: fork, origin: 'main_branch', ref: 'refs/heads/main' });
  });

  it('given a clone, then the remote default counts; given a pushed copy of the branch, then it does not', async () => {
    const origin = await places.repository();
    const fork = origin.commitAll('one');
    const made = await places.clone(origin);
    made.git(['checkout', '--quiet', '-b', 'topic']);
    made.commitAll('two');
    const expected = { commit: fork, origin: 'remote_default', ref: 'refs/remotes/origin/main' };
    expect(await baseOf(made)).toEqual(expected);
    made.git(['push', '--quiet', '--set-upstream', 'origin', 'topic']);
    made.commitAll('three');
    expect(await baseOf(made)).toEqual(expected);
  });

  it('given an upstream with another name, then it is the base before the remote default', async () => {
    const origin = await places.repository();
    origin.commitAll('one');
    origin.git(['checkout', '--quiet', '-b', 'release']);
    const released = origin.commitAll('released');
    origin.git(['checkout', '--quiet', 'main']);
    const made = await places.clone(origin);
    made.git(['checkout', '--quiet', '-b', 'fix', '--track', 'origin/release']);
    made.commitAll('fix');
    expect(await baseOf(made)).toEqual({ commit: released, origin: 'upstream', ref: 'refs/remotes/origin/release' });
  });

  it('given a pushed branch and nothing else to go by, then its copy is better than nothing', async () => {
    const origin = await places.repository('--initial-branch=trunk');
    const pushed = origin.commitAll('one');
    const made = await places.clone(origin);
    made.git(['remote', 'set-head', 'origin', '--delete']);
    made.commitAll('two');
    made.commitAll('three');
    expect(await baseOf(made)).toEqual({ commit: pushed, origin: 'pushed_copy', ref: 'refs/remotes/origin/trunk' });
  });

  it('given a detached head in a shallow clone, then what is not there is not named', async () => {
    const origin = await places.repository('--initial-branch=trunk');
    origin.commitAll('one');
    origin.commitAll('two');
    const made = await places.clone(origin, '--depth=1');
    made.git(['checkout', '--quiet', '--detach']);
    made.git(['remote', 'remove', 'origin']);
    expect(await baseOf(made)).toEqual({ commit: null, origin: 'nothing_before' });
  });
});
