import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, closeSync, copyFileSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { deletedBytes } from './disk-usage.ts';

const MiB = 1024 ** 2;
/** Of which no file system makes less. */
const CONTENT = randomBytes(4 * MiB);

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
    expect(await deletedBytes(directory, pids)).toBe(0);
    rmSync(path);
    const bytes = await deletedBytes(directory, pids);
    expect(bytes).toBeGreaterThanOrEqual(CONTENT.byteLength);
    expect(bytes).toBeLessThan(2 * CONTENT.byteLength);
  });

  it('given a program that runs, then it counts once it is deleted, though nobody has it open', async () => {
    const path = join(directory, 'sleep');
    copyFileSync('/bin/sleep', path);
    appendFileSync(path, CONTENT);
    const pids = [await running(path)];
    expect(await deletedBytes(directory, pids)).toBe(0);
    rmSync(path);
    expect(await deletedBytes(directory, pids)).toBeGreaterThanOrEqual(CONTENT.byteLength);
    expect(await deletedBytes(directory, [])).toBe(0);
  });
});
