import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectFiles, DEFAULT_COLLECT_CAPS, type CollectCaps, type CollectedFile } from './collect-files.ts';
import { textOf } from './testing/open-sandbox.fixture.ts';

const SECRET = 'obviously-fake-secret';

/** A workspace `w` beside a secret it must not reach. */
async function withWorkspace<T>(use: (workspace: string, secret: string) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'delta-collect-'));
  const workspace = join(root, 'w');
  mkdirSync(workspace);
  mkdirSync(join(root, 'outside'));
  writeFileSync(join(root, 'outside', 'secret.xml'), SECRET);
  try {
    return await use(workspace, join(root, 'outside', 'secret.xml'));
  } finally {
    await rm(root, { recursive: true });
  }
}

async function collect(workspace: string, globs: readonly string[], caps: Partial<CollectCaps> = {}) {
  const taken: Record<string, string> = {};
  const report = await collectFiles(workspace, globs, { ...DEFAULT_COLLECT_CAPS, ...caps }, async (file) => {
    taken[file.path] = await textOf(file.content);
  });
  return { taken, ...report };
}

describe('collecting files from a hostile workspace', () => {
  it('takes regular files that match, in order of path', async () => {
    await withWorkspace(async (workspace) => {
      mkdirSync(join(workspace, 'b/c'), { recursive: true });
      for (const path of ['z.xml', 'b/c/y.xml', 'a.xml', 'b/n.txt']) writeFileSync(join(workspace, path), path);
      const { taken, files, totalBytes } = await collect(workspace, ['**/*.xml']);
      expect(Object.keys(taken)).toEqual(['a.xml', 'b/c/y.xml', 'z.xml']);
      expect({ files, totalBytes }).toEqual({ files: 3, totalBytes: 19 });
    });
  });

  it('follows no link, neither to a file, nor to a directory, nor up', async () => {
    await withWorkspace(async (workspace, secret) => {
      symlinkSync(secret, join(workspace, 'file.xml'));
      symlinkSync(join(secret, '..'), join(workspace, 'dir'));
      symlinkSync('..', join(workspace, 'up'));
      symlinkSync('/dev/zero', join(workspace, 'zero.xml'));
      const { taken, notCollected } = await collect(workspace, ['**']);
      expect(taken).toEqual({});
      expect(notCollected).toEqual(['dir', 'file.xml', 'up', 'zero.xml'].map((path) => ({ path, reason: 'symlink' })));
    });
  });

  it('takes a pipe and a socket for what they are, without waiting for them', async () => {
    await withWorkspace(async (workspace) => {
      execFileSync('mkfifo', [join(workspace, 'pipe.xml')]);
      const { notCollected } = await collect(workspace, ['*.xml']);
      expect(notCollected).toEqual([{ path: 'pipe.xml', reason: 'not-a-file' }]);
    });
  });

  it('given more links than are named, when a cap bites behind them, then that is said all the same', async () => {
    await withWorkspace(async (workspace) => {
      for (const name of ['a', 'b', 'c']) symlinkSync('z1', join(workspace, name));
      for (const name of ['z1', 'z2', 'z3', 'z4']) writeFileSync(join(workspace, name), name);
      const { taken, notCollected } = await collect(workspace, ['**'], { files: 2 });
      expect(Object.keys(taken)).toEqual(['z1', 'z2']);
      expect(notCollected.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([
        'a: symlink',
        'b: symlink',
        'z3: files-cap',
      ]);
    });
  });

  it('never enters .git, however it is written', async () => {
    await withWorkspace(async (workspace) => {
      for (const directory of ['.git', 'sub/.GIT', 'sub/.git']) {
        mkdirSync(join(workspace, directory), { recursive: true });
        writeFileSync(join(workspace, directory, 'config'), 'token');
      }
      writeFileSync(join(workspace, 'sub', '.gitignore'), '');
      expect((await collect(workspace, ['**'])).taken).toEqual({ 'sub/.gitignore': '' });
    });
  });

  it('given a parent that becomes a link while it is walked, it still leads nowhere', async () => {
    await withWorkspace(async (workspace, secret) => {
      const parent = join(workspace, 'reports');
      mkdirSync(parent);
      writeFileSync(join(parent, 'a.xml'), 'a');
      writeFileSync(join(parent, 'secret.xml'), 'mine');
      const taken: string[] = [];
      await collectFiles(workspace, ['**/*.xml'], DEFAULT_COLLECT_CAPS, async (file: CollectedFile) => {
        if (file.path === 'reports/a.xml') {
          renameSync(parent, `${parent}-aside`);
          symlinkSync(join(secret, '..'), parent);
        }
        taken.push(await textOf(file.content));
      });
      expect(taken).toEqual(['a', 'mine']);
    });
  });

  it.each([
    [{ files: 2 }, 'files-cap'],
    [{ fileBytes: 2 }, 'file-bytes-cap'],
    [{ totalBytes: 7 }, 'total-bytes-cap'],
  ] as const)('given caps %j, it stops there and says %s', async (caps, reason) => {
    await withWorkspace(async (workspace) => {
      for (const name of ['a', 'b', 'c']) writeFileSync(join(workspace, name), 'xyz');
      const { notCollected } = await collect(workspace, ['*'], caps);
      expect(new Set(notCollected.map((each) => each.reason))).toEqual(new Set([reason]));
    });
  });

  it('given more entries than it may look at, it stops and says so', async () => {
    await withWorkspace(async (workspace) => {
      for (let index = 0; index < 30; index += 1) writeFileSync(join(workspace, `f${index}`), '');
      const { notCollected } = await collect(workspace, ['none'], { entries: 10 });
      expect(notCollected).toEqual([{ path: '', reason: 'entries-cap' }]);
    });
  });

  it('given globs that lead elsewhere, then folders are not entered, however much is in them', async () => {
    await withWorkspace(async (workspace) => {
      mkdirSync(join(workspace, 'installed/deeper'), { recursive: true });
      mkdirSync(join(workspace, 'reports'));
      for (let index = 0; index < 30; index += 1) writeFileSync(join(workspace, `installed/f${index}.xml`), '');
      writeFileSync(join(workspace, 'reports/a.xml'), 'a');
      expect(await collect(workspace, ['reports/*.xml', 'installed'], { entries: 5 })).toMatchObject({
        taken: { 'reports/a.xml': 'a' },
        notCollected: [],
      });
    });
  });

  it('given a sparse file that claims to be huge, it is left behind by its size', async () => {
    await withWorkspace(async (workspace) => {
      writeFileSync(join(workspace, 'huge'), '');
      truncateSync(join(workspace, 'huge'), 2 ** 40);
      expect((await collect(workspace, ['*'])).notCollected).toEqual([{ path: 'huge', reason: 'file-bytes-cap' }]);
    });
  });

  it('given names with newlines, quotes and leading dashes, they are taken as they are', async () => {
    await withWorkspace(async (workspace) => {
      const names = ['--output=x', 'a\nb', `q'"`, ' '].sort();
      for (const name of names) writeFileSync(join(workspace, name), name);
      expect(Object.keys((await collect(workspace, ['*'])).taken).sort()).toEqual(names);
    });
  });

  it('given a file that grew since it was measured, no more than was measured is read', async () => {
    await withWorkspace(async (workspace) => {
      writeFileSync(join(workspace, 'log'), 'before');
      let text = '';
      await collectFiles(workspace, ['log'], DEFAULT_COLLECT_CAPS, async (file) => {
        writeFileSync(join(workspace, 'log'), 'before and after');
        text = await textOf(file.content);
      });
      expect(text).toBe('before');
    });
  });

  it('given hard links, they are the file they are', async () => {
    await withWorkspace(async (workspace) => {
      writeFileSync(join(workspace, 'a'), 'x');
      linkSync(join(workspace, 'a'), join(workspace, 'b'));
      rmSync(join(workspace, 'a'));
      expect((await collect(workspace, ['*'])).taken).toEqual({ b: 'x' });
    });
  });

  it('given globs it refuses, it says which', async () => {
    await withWorkspace(async (workspace) => {
      expect((await collect(workspace, ['../*'])).notCollected).toEqual([{ path: '../*', reason: 'glob-refused' }]);
    });
  });
});
