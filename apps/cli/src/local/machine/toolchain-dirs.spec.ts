import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { recorded } from '../../recorded-surroundings.fixture.ts';
import { toolchainDirs } from './toolchain-dirs.ts';

describe('toolchains that jobs may see besides the system', () => {
  let home = '';
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'delta-toolchains-'));
  });
  afterEach(async () => rm(home, { recursive: true, force: true }));

  async function program(path: string, script: string): Promise<void> {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), `#!/bin/sh\n${script}\n`);
    await chmod(join(home, path), 0o755);
  }

  const found = async (more: Readonly<Record<string, string>> = {}): Promise<string[]> =>
    toolchainDirs(recorded(home, { HOME: home, PATH: `${home}/.cargo/bin:${home}/go/bin`, ...more }).surroundings);

  it('given stand-ins of rustup, then the toolchain they stand for is shown, and not where tokens of cargo lie', async () => {
    await program('.cargo/bin/rustc', `echo ${home}/.rustup/toolchains/stable`);
    await program('.cargo/bin/cargo', 'exit 1');
    await program('.rustup/toolchains/stable/bin/cargo', 'exit 0');
    expect(await found()).toEqual([join(home, '.rustup/toolchains/stable')]);
  });

  it.each([
    ['fails', 'exit 1'],
    ['names a place without cargo', 'echo /nonexistent'],
    ['says nothing', ':'],
  ])('given a compiler that %s, then nothing of it is shown', async (_what, script) => {
    await program('.cargo/bin/rustc', script);
    await program('go/bin/go', ':');
    expect(await found()).toEqual([join(home, 'go')]);
  });

  it('given names, then these go before what is found, each once', async () => {
    await program('go/bin/go', ':');
    await program('mine/bin/go', ':');
    const named = ['mine', 'go', 'mine'].map((name) => join(home, name));
    expect(await found({ DELTA_TOOLCHAIN_DIRS: ` ${named.join(', ')},` })).toEqual([
      join(home, 'mine'),
      join(home, 'go'),
    ]);
  });

  it.each([
    ['relative', 'relative, which is not absolute'],
    ['/nonexistent', '/nonexistent, which has no folder bin'],
  ])('given the name %s, then it is refused, and why', async (name, why) => {
    await expect(found({ DELTA_TOOLCHAIN_DIRS: name })).rejects.toMatchObject({
      code: 'toolchain_dir_invalid',
      message: `DELTA_TOOLCHAIN_DIRS names ${why}`,
    });
  });
});
