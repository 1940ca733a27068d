import { afterAll, describe, expect, it } from '@jest/globals';
import { chmod, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportTree } from './export-tree.ts';
import { errorOf, TemporaryPlaces, valueOf } from './made-repository.fixture.ts';
import { PLAIN_GIT } from './opened-repositories.fixture.ts';

const places = new TemporaryPlaces();
afterAll(() => places.removeAll());

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
    const treeish = made.git(['rev-parse', 'HEAD']);
    valueOf(await exportTree(PLAIN_GIT, { gitDir: made.gitDir, treeish, directory: target }));
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
      expect(errorOf(await exportTree(PLAIN_GIT, { gitDir: made.gitDir, treeish, directory }))).toBe('invalid_path');
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
    await exportTree(PLAIN_GIT, { gitDir: made.gitDir, treeish, directory });
    expect(await readdir(outside)).toEqual([]);
  });

  it('given a directory that is not empty, not there, a link or relative, when exported, then it is refused', async () => {
    const made = await places.repository();
    const treeish = made.commitAll('one');
    const full = await places.directory();
    await writeFile(join(full, 'x'), '');
    await symlink(await places.directory(), join(full, 'link'));
    for (const directory of [full, join(full, 'none'), join(full, 'x'), join(full, 'link'), 'relative']) {
      expect(errorOf(await exportTree(PLAIN_GIT, { gitDir: made.gitDir, treeish, directory }))).toBe(
        'invalid_directory',
      );
    }
    const directory = await places.directory();
    const unknown = { gitDir: made.gitDir, treeish: 'a'.repeat(40), directory };
    expect(errorOf(await exportTree(PLAIN_GIT, unknown))).toBe('object_not_found');
    expect(errorOf(await exportTree(PLAIN_GIT, { ...unknown, treeish: 'HEAD' }))).toBe('invalid_commit_id');
  });
});
