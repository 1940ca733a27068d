import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, closeSync, copyFileSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { deletedBytes, pauseAfterLook } from './disk-usage.ts';

const MiB = 1024 ** 2;
/** Of which no file system makes less. */
const CONTENT = randomBytes(4 * MiB);

/** Maps the first page of a file at each of some addresses, 0 for any, and has it open no more. */
const MAPPER = `
import ctypes, os, sys
mmap = ctypes.CDLL(None).mmap
mmap.restype = ctypes.c_void_p
mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
PROT_READ, MAP_SHARED, MAP_FIXED_NOREPLACE = 1, 1, 0x100000
file = os.open(sys.argv[1], os.O_RDONLY)
for at in map(int, sys.argv[2:]):
    got = mmap(at, 4096, PROT_READ, MAP_SHARED | (MAP_FIXED_NOREPLACE if at else 0), file, 0)
    assert got == at or (at == 0 and got != 2**64 - 1)
os.close(file)
print('mapped', flush=True)
sys.stdin.read()
`;
/** Only root sees what others have mapped. */
const describeWhereMapped =
  process.getuid?.() === 0 && spawnSync('python3', ['-c', 'import ctypes']).status === 0 ? describe : describe.skip;

describe('the pause after a look at the disk', () => {
  it.each([
    ['a short one', 10, 2_000],
    ['one that costs more than a twentieth of the time', 500, 10_000],
    ['one that a job made slow', 30_000, 60_000],
  ])('given %s, of %d ms, then it is %d ms', (_, tookMs, pauseMs) => {
    expect(pauseAfterLook(tookMs)).toBe(pauseMs);
  });
});

describe('what deleted files take', () => {
  let directory: string;
  const started: ChildProcess[] = [];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'delta-deleted-'));
  });
  afterEach(async () => {
    for (const child of started.splice(0)) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(directory, { recursive: true, force: true });
  });

  const deleted = async (pids: readonly number[], bytesMax = Infinity, signal = new AbortController().signal) =>
    deletedBytes(directory, pids, bytesMax, signal);

  /** Runs until it is killed. */
  async function running(program: string, held: number | 'ignore' = 'ignore'): Promise<number> {
    const child = spawn(program, ['1000'], { stdio: ['ignore', 'ignore', 'ignore', held] });
    started.push(child);
    await once(child, 'spawn');
    return child.pid ?? 0;
  }

  it('given a file that a process has open, then it counts once it is deleted, and once for all who have it', async () => {
    const path = join(directory, 'gone');
    writeFileSync(path, CONTENT);
    const held = openSync(path, 'r');
    const pids = [await running('/bin/sleep', held), await running('/bin/sleep', held)];
    closeSync(held);
    expect(await deleted(pids)).toBe(0);
    rmSync(path);
    const bytes = await deleted(pids);
    expect(bytes).toBeGreaterThanOrEqual(CONTENT.byteLength);
    expect(bytes).toBeLessThan(2 * CONTENT.byteLength);
  });

  it('given a program that runs, then it counts once it is deleted, though nobody has it open', async () => {
    const path = join(directory, 'sleep');
    copyFileSync('/bin/sleep', path);
    appendFileSync(path, CONTENT);
    const pids = [await running(path)];
    expect(await deleted(pids)).toBe(0);
    rmSync(path);
    expect(await deleted(pids)).toBeGreaterThanOrEqual(CONTENT.byteLength);
    expect(await deleted([])).toBe(0);
  });

  describeWhereMapped('that are mapped only', () => {
    it.each<[string, string, readonly number[]]>([
      ['low', 'gone', [0x20_000, 0x30_000]],
      ['high', 'gone', [0, 0]],
      ['high, under a name of two lines', 'gone\rgone\ngone', [0, 0]],
    ])(
      'given a file that is mapped only, and %s, then it counts once it is deleted, however often it is',
      async (_, name, addresses) => {
        const path = join(directory, name);
        writeFileSync(path, CONTENT);
        const child = spawn('python3', ['-c', MAPPER, path, ...addresses.map(String)], {
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        started.push(child);
        await once(child.stdout, 'data');
        const pids = [child.pid ?? 0];
        expect(await deleted(pids)).toBe(0);
        rmSync(path);
        const bytes = await deleted(pids);
        expect(bytes).toBeGreaterThanOrEqual(CONTENT.byteLength);
        expect(bytes).toBeLessThan(2 * CONTENT.byteLength);
      },
    );
  });

  it('given more than anybody wants to know of, or a look that has to end, then no more is looked at', async () => {
    const held = ['one', 'other'].map((name) => {
      const path = join(directory, name);
      writeFileSync(path, CONTENT);
      const fd = openSync(path, 'r');
      rmSync(path);
      return fd;
    });
    const pids: number[] = [];
    for (const fd of held) pids.push(await running('/bin/sleep', fd));
    held.forEach((fd) => closeSync(fd));
    expect(await deleted(pids)).toBeGreaterThanOrEqual(2 * CONTENT.byteLength);
    const some = await deleted(pids, CONTENT.byteLength / 2);
    expect(some).toBeGreaterThanOrEqual(CONTENT.byteLength);
    expect(some).toBeLessThan(2 * CONTENT.byteLength);
    expect(await deleted(pids, Infinity, AbortSignal.abort())).toBe(0);
  });
});
