import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportTree } from './export-tree.ts';
import { Git } from './git.ts';
import { errorOf, MadeRepository, TemporaryPlaces, TEST_ENVIRONMENT, valueOf } from './made-repository.fixture.ts';
import { OpenedRepositories, PLAIN_GIT } from './opened-repositories.fixture.ts';

const places = new TemporaryPlaces();
const opened = new OpenedRepositories();
afterEach(() => opened.closeAll());
afterAll(() => places.removeAll());

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

describe('a snapshot of the working tree', () => {
  it('given nothing uncommitted, when taken, then it is the tree of the commit', async () => {
    const made = await places.repository();
    await made.write('a/b', 'x');
    made.commitAll('one');
    expect((await opened.snapshot(made)).treeId).toBe(made.git(['rev-parse', 'HEAD^{tree}']));
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
    expect((await opened.uncommitted(made)).toSorted()).toEqual(
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
    const taken = valueOf(await (await opened.open(made)).snapshot());
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
    expect(await opened.uncommitted(made)).toEqual(['M a']);
  });

  it('given no commit and no index, when taken, then every file is in it', async () => {
    const made = await places.repository();
    await made.write('a', 'a');
    const taken = await opened.snapshot(made);
    expect(valueOf(await taken.reader.listTree(taken.treeId)).map((entry) => entry.path)).toEqual(['a']);
    expect(errorOf(await (await opened.open(made)).defaultBase({ differentFromHead: false }))).toBe('no_commits');
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
    expect(await opened.uncommitted(made)).toEqual(['M a']);
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
    const taken = await opened.snapshot(made, {}, asUser);
    expect(valueOf(await taken.reader.listTree(taken.treeId)).map((entry) => entry.path)).toEqual(['a.new']);
    await writeFile(join(home, 'rules'), '*.new\n');
    await writeFile(join(home, '.gitconfig'), '[core]\n\texcludesFile = ~/rules\n');
    const named = await opened.snapshot(made, {}, asUser);
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
    expect(await opened.uncommitted(made)).toEqual([]);
    const moved = sub.commitAll('moved');
    await mkdir(join(made.root, 'nested'));
    new MadeRepository(join(made.root, 'nested')).git(['init', '--quiet']);
    await made.write('nested/file', 'x');
    const taken = await opened.snapshot(made);
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
    expect(await opened.uncommitted(made)).toEqual(['A b']);
  });

  it('given line endings that are converted, when taken, then they are as git itself would commit them', async () => {
    const made = await places.repository();
    made.git(['config', 'core.autocrlf', 'true']);
    await made.write('.gitattributes', '*.bin -text\n');
    await made.write('a.txt', 'one\r\ntwo\r\n');
    await made.write('a.bin', 'one\r\n');
    const taken = await opened.snapshot(made);
    made.commitAll('same');
    expect(taken.treeId).toBe(made.git(['rev-parse', 'HEAD^{tree}']));
  });

  it('given more files or bytes than a snapshot may take, when taken, then the refusal names one', async () => {
    const made = await places.repository();
    made.commitAll('one');
    for (const name of ['a', 'b', 'c']) await made.write(name, 'x'.repeat(100));
    const repository = await opened.open(made);
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
    const taken = await opened.snapshot(made);
    const target = await places.directory();
    valueOf(await exportTree(PLAIN_GIT, { gitDir: taken.reader.gitDir, treeish: taken.treeId, directory: target }));
    expect(await readFile(join(target, 'a'), 'utf8')).toBe('changed');
    expect(existsSync(proof)).toBe(false);
    expect(() => made.git(['add', 'a'])).toThrow('Command failed');
    expect(existsSync(proof)).toBe(true);
  });
});
