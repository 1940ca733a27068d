import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { makeProcessDirectory, removeForsakenDirectories } from './process-directory.ts';

let parent = '';
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'delta-process-directory-'));
});
// By a program: paths may be too long for us.
afterEach(() => void execFileSync('rm', ['-rf', parent]));

/** The number of a process that has been and gone. */
async function deadPid(): Promise<number> {
  const child = spawn('/bin/sh', ['-c', ':']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

/** A directory as a process made it that is gone by now. */
async function forsaken(): Promise<string> {
  const made = await makeProcessDirectory(parent, 'run');
  const name = basename(made).replace(`-${process.pid}-`, `-${await deadPid()}-`);
  await rename(made, join(parent, name));
  await writeFile(join(parent, name, 'left'), 'x');
  return name;
}

/** Paths in it are longer than the kernel takes. */
async function makeTooDeep(directory: string): Promise<void> {
  const half = Array.from({ length: 12 }, () => 'd'.repeat(200)).join('/');
  for (const part of ['upper', 'lower']) await mkdir(join(directory, part, half), { recursive: true });
  await rename(join(directory, 'lower'), join(directory, 'upper', half, 'lower'));
}

describe('directories of processes', () => {
  it('given a process that is gone, when somebody cleans up, then its directory goes and those of the living stay', async () => {
    const own = basename(await makeProcessDirectory(parent, 'run'));
    const name = await forsaken();
    expect(await removeForsakenDirectories(parent, 'run')).toEqual({ removed: [name], left: [] });
    expect(await readdir(parent)).toEqual([own]);
  });

  it('given names of another prefix or shape, or of another host, when somebody cleans up, then they stay', async () => {
    const name = await forsaken();
    const others = ['run-x', 'run-', `other-${name}`, name.replace('run-', 'run-elsewhere'), `${name}-more`];
    for (const other of others) await mkdir(join(parent, other));
    expect((await removeForsakenDirectories(parent, 'run')).removed).toEqual([name]);
    expect((await readdir(parent)).sort()).toEqual(others.sort());
  });

  it('given a link with such a name, when somebody cleans up, then neither it nor what it leads to is touched', async () => {
    const target = await mkdtemp(join(tmpdir(), 'delta-process-target-'));
    const name = await forsaken();
    await rm(join(parent, name), { recursive: true });
    await symlink(target, join(parent, name));
    expect(await removeForsakenDirectories(parent, 'run')).toEqual({ removed: [], left: [] });
    expect(await readdir(parent)).toEqual([name]);
    await rm(target, { recursive: true });
  });

  it('given no such parent yet, there is nothing to do', async () => {
    expect(await removeForsakenDirectories(join(parent, 'nowhere'), 'run')).toEqual({ removed: [], left: [] });
  });

  it('given one that has to stay, and one that cannot be removed, when somebody cleans up, then the others go', async () => {
    const [held, deep, name] = [await forsaken(), await forsaken(), await forsaken()];
    await makeTooDeep(join(parent, deep));
    const cleaned = await removeForsakenDirectories(parent, 'run', async (path) =>
      Promise.resolve(path === join(parent, held)),
    );
    expect(cleaned.removed).toEqual([name]);
    expect(cleaned.left).toEqual([{ path: join(parent, deep), why: expect.stringContaining('ENAMETOOLONG') }]);
    expect((await readdir(parent)).sort()).toEqual([held, deep].sort());
    expect(await readdir(join(parent, held))).toEqual(['left']);
  });
});
