import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { SOURCE_LAYOUT } from '@delta-ci/contracts';
import { pack, type Header } from 'tar-stream';
import { whereAnEngineAnswers } from '../../../../../test/support/infra/container-engine.ts';
import { whereRunscIsHad } from '../../../../../test/support/infra/gvisor.ts';
import { BubblewrapExecutor } from '../../bubblewrap/bubblewrap-executor.ts';
import { ContainerExecutor } from '../../container/container-executor.ts';
import { GvisorExecutor } from '../../gvisor/gvisor-executor.ts';
import { ProcessExecutor } from '../../process-executor.ts';
import type { Sandbox, SandboxExecutor } from '../../sandbox-executor.ts';
import { collectOutput, finished, probeOnce, script, step, withSandbox } from '../../testing/open-sandbox.fixture.ts';
import { whereItRuns } from '../../testing/where-it-runs.fixture.ts';
import { cachePlaces, measureCache, packCache, unpackCache, type CachePlace } from './cache-archive.ts';

const AMPLE = { timeoutMs: 60_000, signal: new AbortController().signal };
const GENEROUS = { ...AMPLE, bytesMax: 1024 ** 3 };

type MakeExecutor = (stateDir: string) => SandboxExecutor;

const asProcess: MakeExecutor = (stateDir) => new ProcessExecutor({ stateDir, killGraceMs: 500 });
const asSandbox: MakeExecutor = (stateDir) =>
  new BubblewrapExecutor({
    stateDir,
    killGraceMs: 500,
    bwrap: process.env['DELTA_BWRAP'] ?? 'bwrap',
    programDirs: (process.env['PATH'] ?? '').split(':'),
  });

/** A sandbox with a source in which archives can lie, and a shell in it. */
async function withCaches<T>(
  makeExecutor: MakeExecutor,
  use: (bench: {
    sandbox: Sandbox;
    hostDir: string;
    gitDir: string;
    sh: (text: string) => Promise<string>;
    keep: (name: string, bytes: Uint8Array) => Promise<void>;
    unpack: (place: CachePlace, name: string) => ReturnType<typeof unpackCache>;
  }) => Promise<T>,
): Promise<T> {
  let gitDir = '';
  const making: MakeExecutor = (stateDir) => {
    gitDir = join(stateDir, '..', 'source');
    const executor = makeExecutor(stateDir);
    return {
      tier: executor.tier,
      probe: async () => executor.probe(),
      async open(spec) {
        await mkdir(join(gitDir, SOURCE_LAYOUT.caches), { recursive: true });
        return executor.open({ ...spec, binds: [{ hostPath: gitDir, at: '/source.git' }] });
      },
    };
  };
  return withSandbox(making, {}, async ({ sandbox, hostDir }) => {
    const sh = async (text: string): Promise<string> => {
      const output = collectOutput();
      const { exitCode } = finished(await sandbox.run(step(script(text)), output.sink));
      return exitCode === 0 ? output.text() : `exit ${exitCode}: ${output.text()}`;
    };
    const keep = async (name: string, bytes: Uint8Array) => writeFile(join(gitDir, SOURCE_LAYOUT.caches, name), bytes);
    const unpack = async (place: CachePlace, name: string) => unpackCache(sandbox, place, { ...AMPLE, gitDir, name });
    return use({ sandbox, hostDir, gitDir, sh, keep, unpack });
  });
}

async function packed(sandbox: Sandbox, place: CachePlace): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const end = await packCache(sandbox, place, GENEROUS, async (chunk) => void chunks.push(Uint8Array.from(chunk)));
  expect(end).toEqual({ kind: 'done' });
  return Buffer.concat(chunks);
}

type Member = readonly [Partial<Header> & { name: string }, string?];

async function archiveOf(members: readonly Member[]): Promise<Buffer> {
  const archive = pack();
  for (const [head, text = ''] of members) archive.entry(head, text);
  archive.finalize();
  return buffer(archive);
}

/** What somebody would write who wants more than a job may. */
const HOSTILE: readonly Member[] = [
  [{ name: './.kept/fine.txt' }, 'fine'],
  [{ name: '../escaped.txt' }, 'evil'],
  [{ name: './.kept/../../escaped.txt' }, 'evil'],
  [{ name: '/tmp/delta-escaped.txt' }, 'evil'],
  [{ name: './.kept/up', type: 'symlink', linkname: '../../..' }],
  [{ name: './.kept/up/escaped.txt' }, 'evil'],
  [{ name: './.kept/passwd', type: 'link', linkname: '/etc/passwd' }],
  [{ name: './.kept/device', type: 'block-device', devmajor: 8, devminor: 0 }],
  [{ name: './.kept/setuid', mode: 0o4755, uid: 0, gid: 0 }, '#!/bin/sh\n'],
  [{ name: './source.txt' }, 'evil'],
  [{ name: './.git/hooks/post-checkout' }, 'evil'],
  [{ name: './undeclared/file.txt' }, 'evil'],
];

function describeCaches(makeExecutor: MakeExecutor): void {
  it('given folders and files, then they come back as they were, and what is not there is left out', async () => {
    const workspace: CachePlace = { root: 'workspace', paths: ['kept', "odd ' name/x", 'file', '-dash', 'missing'] };
    const archive = await withCaches(makeExecutor, async ({ sandbox, sh }) => {
      const made = `mkdir -p "kept/a" "odd ' name/x"; echo one > kept/a/one; chmod 755 kept/a/one; ln kept/a/one kept/hard;
        ln -s a/one kept/soft; echo two > "odd ' name/x/two"; echo three > file; echo four > ./-dash; echo no > other`;
      expect(await sh(made)).toBe('');
      const archived = await packed(sandbox, workspace);
      expect(await measureCache(sandbox, workspace, AMPLE)).toBe(archived.byteLength);
      return archived;
    });
    await withCaches(makeExecutor, async ({ sh, keep, unpack }) => {
      await keep('0.workspace', archive);
      expect(await unpack(workspace, '0.workspace')).toEqual({ kind: 'done' });
      const look = `cat kept/soft kept/hard "odd ' name/x/two" file ./-dash; test -x kept/a/one; test kept/a/one -ef kept/hard`;
      expect(await sh(look)).toBe('one\none\ntwo\nthree\nfour\n');
      expect((await sh('ls -A')).split('\n').toSorted()).toEqual(['', '-dash', 'file', 'kept', "odd ' name"]);
    });
  });

  it('given a folder of the home, then it comes back there, also where some of it was made meanwhile', async () => {
    const home: CachePlace = { root: 'home', paths: ['.kept'] };
    const archive = await withCaches(makeExecutor, async ({ sandbox, sh }) => {
      await sh('mkdir -p ~/.kept; echo kept > ~/.kept/old; echo kept > ~/.kept/same');
      return packed(sandbox, home);
    });
    await withCaches(makeExecutor, async ({ sh, keep, unpack }) => {
      await keep('0.home', archive);
      await sh('mkdir ~/.kept; echo mine > ~/.kept/same');
      expect(await unpack(home, '0.home')).toEqual({ kind: 'done' });
      expect(await sh('cat ~/.kept/old ~/.kept/same; ls -A ~')).toBe('kept\nmine\n.kept\n');
    });
  });

  it('given nothing at any of its paths, then that is said', async () => {
    await withCaches(makeExecutor, async ({ sandbox }) => {
      const place: CachePlace = { root: 'workspace', paths: ['missing'] };
      const end = await packCache(sandbox, place, GENEROUS, () => Promise.reject(new Error('nothing is handed on')));
      expect(end).toEqual({ kind: 'nothing' });
      expect(await measureCache(sandbox, place, AMPLE)).toBeNull();
    });
  });

  it('given an archive of somebody hostile, then only what is below its paths comes, and the commit stays as it is', async () => {
    await withCaches(makeExecutor, async ({ hostDir, sh, keep, unpack }) => {
      await sh('echo commit > source.txt; mkdir .git');
      await keep('0.workspace', await archiveOf(HOSTILE));
      await unpack({ root: 'workspace', paths: ['.kept'] }, '0.workspace');
      expect((await readdir(hostDir)).filter((name) => name !== '.kept').toSorted()).toEqual(['.git', 'source.txt']);
      expect(await readFile(join(hostDir, 'source.txt'), 'utf8')).toBe('commit\n');
      expect(await readdir(join(hostDir, '.git'))).toEqual([]);
      expect(await sh('find . -perm -4000 -user 0 | wc -l')).toBe('0\n');
      for (const place of [join(hostDir, '..'), join(hostDir, '..', '..'), '/tmp', '/'])
        expect([place, existsSync(join(place, 'escaped.txt'))]).toEqual([place, false]);
      expect(existsSync('/tmp/delta-escaped.txt')).toBe(false);
    });
  });

  it('given more in an archive than lies at its paths, then the rest goes nowhere', async () => {
    await withCaches(makeExecutor, async ({ hostDir, sh, keep, unpack }) => {
      await sh('echo commit > source.txt; mkdir both; echo commit > both/same');
      const members: Member[] = [
        [{ name: './kept/fine.txt' }, 'fine'],
        [{ name: './source.txt' }, 'evil'],
        [{ name: './both/same' }, 'evil'],
        [{ name: './both/more' }, 'more'],
        [{ name: './undeclared/file.txt' }, 'evil'],
      ];
      await keep('0.workspace', await archiveOf(members));
      const place: CachePlace = { root: 'workspace', paths: ['kept', 'source.txt', 'both'] };
      expect(await unpack(place, '0.workspace')).toEqual({ kind: 'done' });
      expect(await sh('cat kept/fine.txt source.txt both/same both/more')).toBe('finecommit\ncommit\nmore');
      expect((await readdir(hostDir)).toSorted()).toEqual(['both', 'kept', 'source.txt']);
    });
  });

  const linked = (name: string, linkname: string): Member => [{ name, type: 'symlink', linkname }];

  it('given links in an archive where the commit has files or folders, then the commit stays as it is, wherever they lead', async () => {
    await withCaches(makeExecutor, async ({ sandbox, hostDir, sh, keep, unpack }) => {
      await sh(
        'mkdir -p src dist/deep a; echo source > src/index.js; echo dist > dist/f; echo deep > dist/deep/f; echo a > a/f',
      );
      const { workspaceDir } = sandbox;
      await keep(
        '0.workspace',
        await archiveOf([
          linked('./dist/f', `${workspaceDir}/src/index.js`),
          linked('./dist/deep', `${workspaceDir}/src`),
          linked('./dist/new', `${workspaceDir}/src/index.js`),
          linked('./a', `${workspaceDir}/src`),
          linked('./b', workspaceDir),
        ]),
      );
      const place: CachePlace = { root: 'workspace', paths: ['dist', 'a', 'a/index.js', 'b/src'] };
      expect(await unpack(place, '0.workspace')).toEqual({ kind: 'done' });
      expect(await sh('cat src/index.js dist/f dist/deep/f a/f dist/new; test ! -L a')).toBe(
        'source\ndist\ndeep\na\nsource\n',
      );
      expect((await readdir(hostDir)).toSorted()).toEqual(['a', 'dist', 'src']);
    });
  });

  it('given links in the commit above or below the paths of a cache, then nothing is written through them', async () => {
    await withCaches(makeExecutor, async ({ sh, keep, unpack }) => {
      await sh('mkdir src dist; echo source > src/f; ln -s ../src dist/deep; ln -s src above; ln -s nowhere dist/gone');
      const members: Member[] = [
        [{ name: './dist/deep/evil' }, 'evil'],
        [{ name: './dist/gone' }, 'evil'],
        [{ name: './dist/fine' }, 'fine'],
        [{ name: './above/evil' }, 'evil'],
        [{ name: './above/below/evil' }, 'evil'],
      ];
      await keep('0.workspace', await archiveOf(members));
      const place: CachePlace = { root: 'workspace', paths: ['dist', 'above', 'above/below'] };
      expect(await unpack(place, '0.workspace')).toEqual({ kind: 'done' });
      expect(await sh('ls -A src dist; readlink dist/gone above; ls nowhere 2> /dev/null || :')).toBe(
        'dist:\ndeep\nfine\ngone\n\nsrc:\nf\nnowhere\nsrc\n',
      );
    });
  });

  it('given kinds that differ, then those of the commit stay', async () => {
    await withCaches(makeExecutor, async ({ sh, keep, unpack }) => {
      await sh('mkdir -p kept/folder; echo f > kept/folder/f; echo file > kept/file; echo top > top');
      const members: Member[] = [
        [{ name: './kept/folder' }, 'evil'],
        [{ name: './kept/file/evil' }, 'evil'],
        [{ name: './top/evil/more' }, 'evil'],
      ];
      await keep('0.workspace', await archiveOf(members));
      const place: CachePlace = { root: 'workspace', paths: ['kept', 'top/evil'] };
      expect(await unpack(place, '0.workspace')).toEqual({ kind: 'done' });
      expect(await sh('cat kept/folder/f kept/file top; find . | wc -l')).toBe('f\nfile\ntop\n6\n');
    });
  });

  it.each([
    ['a folder', 'mkdir .delta-cache; echo tracked > .delta-cache/f'],
    ['a link', 'mkdir other; echo tracked > other/f; chmod 500 other; ln -s other .delta-cache'],
  ])('given a commit that has %s called as our place might be, then it stays, and the cache comes', async (_, make) => {
    await withCaches(makeExecutor, async ({ sh, keep, unpack }) => {
      const look = 'ls -AlLR --time-style=+ .delta-cache | grep -v total; cat .delta-cache/f';
      await sh(make);
      const before = await sh(look);
      await keep('0.workspace', await archiveOf([[{ name: './.kept/fine.txt' }, 'fine']]));
      expect(await unpack({ root: 'workspace', paths: ['.kept'] }, '0.workspace')).toEqual({ kind: 'done' });
      expect([await sh(look), await sh('cat .kept/fine.txt')]).toEqual([before, 'fine']);
    });
  });

  it('given a folder that was checked out, then it is never away, nor is what is in it: whenever this ends', async () => {
    await withCaches(makeExecutor, async ({ sh, keep, unpack }) => {
      await sh('mkdir -p kept/sub; echo mine > kept/sub/f; mkdir readonly; chmod 500 readonly');
      const look = 'stat -c "%i %a" kept kept/sub kept/sub/f readonly';
      const before = await sh(look);
      const members: Member[] = [
        [{ name: './kept/sub/f' }, 'evil'],
        [{ name: './kept/sub/g' }, 'more'],
        [{ name: './kept/locked/h' }, 'more'],
        [{ name: './kept/locked', type: 'directory', mode: 0o555 }],
      ];
      await keep('0.workspace', await archiveOf(members));
      const place: CachePlace = { root: 'workspace', paths: ['kept', 'readonly'] };
      expect(await unpack(place, '0.workspace')).toEqual({ kind: 'done' });
      expect(await sh(look)).toBe(before);
      expect(await sh('cat kept/sub/f kept/sub/g kept/locked/h; stat -c %a kept/locked; ls -A')).toBe(
        'mine\nmoremore555\nkept\nreadonly\n',
      );
    });
  });

  it.each([
    ['no archive', Buffer.from('this is no archive, and long enough to be seen as none'.repeat(50))],
    ['half of one', null],
  ])('given %s, then it is told as broken, and nothing of it is left', async (_, bytes) => {
    await withCaches(makeExecutor, async ({ hostDir, keep, unpack }) => {
      const whole = await archiveOf([[{ name: './.kept/large' }, 'x'.repeat(100_000)]]);
      await keep('0.workspace', bytes ?? whole.subarray(0, 50_000));
      expect(await unpack({ root: 'workspace', paths: ['.kept'] }, '0.workspace')).toMatchObject({ kind: 'broken' });
      expect(await readdir(hostDir)).toEqual([]);
    });
  });

  it('given an archive that has no place here, then it fails without being broken, and nothing of it is left', async () => {
    await withCaches(makeExecutor, async ({ hostDir, keep, unpack }) => {
      await keep('0.workspace', await archiveOf([[{ name: `./.kept/${'x'.repeat(300)}` }, 'whole']]));
      expect(await unpack({ root: 'workspace', paths: ['.kept'] }, '0.workspace')).toMatchObject({ kind: 'failed' });
      expect(await readdir(hostDir)).toEqual([]);
    });
  });

  it('given a sink that has enough, then it ends and says so', async () => {
    await withCaches(makeExecutor, async ({ sandbox, sh }) => {
      await sh('mkdir kept; head -c 3000000 /dev/zero > kept/large');
      const place: CachePlace = { root: 'workspace', paths: ['kept'] };
      const full = () => Promise.reject(new Error('full'));
      expect(await packCache(sandbox, place, GENEROUS, full)).toMatchObject({ kind: 'failed', why: 'full' });
      const bounded = { ...AMPLE, bytesMax: 1_000_000 };
      const end = await packCache(sandbox, place, bounded, () => Promise.resolve());
      expect(end).toEqual({ kind: 'failed', why: 'it is too large' });
    });
  });
}

describe('paths of a cache', () => {
  it('are told apart by where they begin, without a whole home or workspace', () => {
    expect(cachePlaces(['~/.npm', 'node_modules/', './a/b', '~/', '.', '~/.a/.'])).toEqual([
      { root: 'home', paths: ['.npm', '.a'] },
      { root: 'workspace', paths: ['node_modules', 'a/b'] },
    ]);
    expect(cachePlaces(['.'])).toEqual([]);
  });
});

describe('caches in tier process', () => {
  describeCaches(asProcess);
});
whereItRuns('caches in tier sandbox', await probeOnce(asSandbox), () => describeCaches(asSandbox));

await whereRunscIsHad('caches in tier gvisor', async (runsc) => {
  const asGvisor: MakeExecutor = (stateDir) =>
    new GvisorExecutor({ stateDir, killGraceMs: 500, runsc, programDirs: [] });
  whereItRuns('caches in tier gvisor', await probeOnce(asGvisor), () => describeCaches(asGvisor));
});

await whereAnEngineAnswers('caches in tier container', (engineSocket) => {
  describeCaches((stateDir) => new ContainerExecutor({ stateDir, killGraceMs: 500, engineSocket, image: null }));
});
