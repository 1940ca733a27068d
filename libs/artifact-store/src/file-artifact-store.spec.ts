import { mkdir, mkdtemp, readFile, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FileArtifactStore } from './index.ts';

let directory: string;
let store: FileArtifactStore;
const attempt = { runId: `run_${'0'.repeat(32)}`, jobKey: 'unit', attempt: 1 };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'delta-store-'));
  store = new FileArtifactStore(directory, 1_000);
});
afterEach(async () => rm(directory, { recursive: true, force: true }));

describe('what nobody needs any more', () => {
  const HOUR_MS = 3_600_000;

  it('given a log past its time, when logs are removed, then it reads as empty and younger ones of its run stay', async () => {
    const younger = { ...attempt, attempt: 2 };
    const other = { ...attempt, runId: `run_${'1'.repeat(32)}` };
    for (const each of [attempt, younger, other]) await store.logs.append(each, 0, Buffer.from('line'));
    for (const { runId } of [attempt, other]) await utimes(join(directory, 'logs', runId, 'unit', '1.log'), 0, 0);
    expect(await store.logs.removeOlderThan(Date.now(), HOUR_MS)).toBe(2);
    expect(await store.logs.read(attempt, 0, 10)).toEqual(new Uint8Array());
    expect(await store.logs.size(younger)).toBe(4);
    expect(await readdir(join(directory, 'logs'))).toEqual([attempt.runId]);
  });

  it('given a store that holds nothing yet, when swept, then there is nothing to remove', async () => {
    const sweeps = [store.content.removeAbandoned(Date.now(), 0), store.logs.removeOlderThan(Date.now(), 0)];
    expect(await Promise.all(sweeps)).toEqual([0, 0]);
  });
});

describe('logs', () => {
  it('given chunks that overlap and repeat, when appended, then the log is what was written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.array(fc.nat(300), { maxLength: 8 }),
        async (bytes, starts) => {
          const fresh = {
            ...attempt,
            attempt: 1 + (starts.length % 900),
            jobKey: `j${Math.abs(bytes.reduce((a, b) => (a * 31 + b) | 0, 7))}`,
          };
          let end = await store.logs.size(fresh);
          if (end > 0) return;
          for (const start of [...starts, end]) {
            const offset = Math.min(start, end, bytes.length);
            const { nextOffset } = await store.logs.append(fresh, offset, bytes.subarray(offset, offset + 100));
            end = nextOffset;
          }
          const written = await store.logs.read(fresh, 0, 1_000);
          expect(Buffer.from(written)).toEqual(Buffer.from(bytes.subarray(0, end)));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('given a gap, when appended, then the expected offset is told', async () => {
    await store.logs.append(attempt, 0, Buffer.from('abc'));
    await expect(store.logs.append(attempt, 5, Buffer.from('x'))).rejects.toMatchObject({
      code: 'offset_mismatch',
      details: { nextOffset: 3 },
    });
  });

  it('given a log at its limit, when more comes, then the file stays bounded and the writer goes on', async () => {
    await store.logs.append(attempt, 0, Buffer.alloc(900, 'a'));
    expect(await store.logs.append(attempt, 900, Buffer.alloc(900, 'b'))).toEqual({ nextOffset: 1_800 });
    expect(await store.logs.append(attempt, 1_800, Buffer.alloc(10, 'c'))).toEqual({ nextOffset: 1_810 });
    const file = await readFile(join(directory, 'logs', attempt.runId, attempt.jobKey, '1.log'));
    expect(file.byteLength).toBe(1_000);
  });

  it('given many writers of one log, when they repeat the same chunk, then it is there once', async () => {
    await Promise.all(Array.from({ length: 20 }, async () => store.logs.append(attempt, 0, Buffer.from('once'))));
    expect(Buffer.from(await store.logs.read(attempt, 0, 100)).toString()).toBe('once');
  });

  it('given several processes that were sent the same chunk, then it is there once', async () => {
    const processes = Array.from({ length: 20 }, () => new FileArtifactStore(directory));
    await Promise.all(processes.map(async ({ logs }) => logs.append(attempt, 0, Buffer.from('once'))));
    expect(Buffer.from(await store.logs.read(attempt, 0, 100)).toString()).toBe('once');
  });

  it('given a link in the place of a log, when appended, then what it leads to is left alone', async () => {
    const victim = join(directory, 'victim');
    await writeFile(victim, 'untouched');
    await mkdir(join(directory, 'logs', attempt.runId, attempt.jobKey), { recursive: true });
    await symlink(victim, join(directory, 'logs', attempt.runId, attempt.jobKey, '1.log'));
    await expect(store.logs.append(attempt, 0, Buffer.from('x'))).rejects.toMatchObject({ code: 'ELOOP' });
    expect(await readFile(victim, 'utf8')).toBe('untouched');
  });
});
