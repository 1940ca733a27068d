import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AttemptLogs } from './attempt-logs.ts';
import { LogArchiveFiles } from './logs/log-archive-files.ts';
import type { CompressedFile } from './logs/log-archive.ts';
import { BLOCK_BYTES, linesIn } from './logs/log-outline.ts';

const BYTES_MAX = 8 * BLOCK_BYTES;
const attempt = { runId: `run_${'7'.repeat(32)}`, jobKey: 'unit', attempt: 1 };
const LINES = 'a line of the log of a job\n'.repeat(20_000);

describe('a log whose attempt is over', () => {
  let directory: string;
  let logs: AttemptLogs;
  const growing = () => join(directory, 'logs', attempt.runId, 'unit', '1.log');
  const archived = () => join(directory, 'logs-archive', attempt.runId, 'unit', '1.log.zst');
  const open = () => new AttemptLogs(directory, BYTES_MAX, new LogArchiveFiles(directory));
  const text = async (of = logs) => Buffer.from(await of.read(attempt, 0, BYTES_MAX)).toString();

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-logs-'));
    logs = open();
    await logs.append(attempt, 0, Buffer.from(LINES));
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  it('when archived, then all processes read the same as before, and it takes a part of the room', async () => {
    const before = await logs.outline(attempt);
    expect(before).toMatchObject({ sizeBytes: LINES.length, isFinal: false });
    expect(await logs.archive(attempt)).toBe(true);
    await expect(access(growing())).rejects.toMatchObject({ code: 'ENOENT' });
    for (const each of [logs, open()]) {
      expect(await text(each)).toBe(LINES);
      expect(await each.size(attempt)).toBe(LINES.length);
      expect(await each.outline(attempt)).toEqual({ ...before, isFinal: true });
      expect(Buffer.from(await each.read(attempt, BLOCK_BYTES - 3, 6)).toString()).toBe(
        LINES.slice(BLOCK_BYTES - 3, BLOCK_BYTES + 3),
      );
    }
    expect((await stat(archived())).size).toBeLessThan(LINES.length / 10);
    expect(await readdir(join(directory, 'logs-compressing'))).toEqual([]);
  });

  it('when archived again, by anybody, then nothing changes', async () => {
    await Promise.all([logs.archive(attempt), open().archive(attempt), logs.archive(attempt)]);
    expect(await open().archive(attempt)).toBe(false);
    expect(await text()).toBe(LINES);
  });

  it('when a chunk is repeated, then it is harmless and leaves nothing; a new one is refused', async () => {
    await logs.archive(attempt);
    for (const each of [logs, open()]) {
      expect(await each.append(attempt, 0, Buffer.from(LINES))).toEqual({ nextOffset: LINES.length });
      expect(await each.append(attempt, LINES.length - 5, Buffer.from('xxxxx'))).toEqual({ nextOffset: LINES.length });
      await expect(each.append(attempt, LINES.length, Buffer.from('x'))).rejects.toMatchObject({ code: 'stale_lease' });
    }
    await expect(access(growing())).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await text()).toBe(LINES);
  });

  it('when the process died before the file was removed, then archiving it again ends it', async () => {
    const kept = await readFile(growing());
    await logs.archive(attempt);
    await mkdir(dirname(growing()), { recursive: true });
    await writeFile(growing(), kept);
    expect(await text(open())).toBe(LINES);
    expect(await open().archive(attempt)).toBe(true);
    await expect(access(growing())).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await text(open())).toBe(LINES);
  });

  it('when somebody could not ask whether it is archived, and left an empty file, then that hides nothing', async () => {
    await logs.archive(attempt);
    const away = new (class extends LogArchiveFiles {
      override async readEnd(): Promise<null> {
        await Promise.reject(new Error('the archive is away'));
        return null;
      }
    })(directory);
    const unlucky = new AttemptLogs(directory, BYTES_MAX, away);
    await expect(unlucky.append(attempt, LINES.length - 5, Buffer.from('xxxxx'))).rejects.toThrow('away');
    expect((await stat(growing())).size).toBe(0);
    expect([await text(), await logs.size(attempt)]).toEqual([LINES, LINES.length]);
    expect(await logs.outline(attempt)).toMatchObject({ sizeBytes: LINES.length, isFinal: true });
    await expect(logs.append(attempt, LINES.length, Buffer.from('x'))).rejects.toMatchObject({ code: 'stale_lease' });
    expect(await logs.append(attempt, 0, Buffer.from(LINES))).toEqual({ nextOffset: LINES.length });
    await expect(access(growing())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('when the archive cannot take it, then it stays as it was', async () => {
    const full = new (class extends LogArchiveFiles {
      override async put(_attempt: unknown, { path }: CompressedFile): Promise<void> {
        await access(path);
        throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
      }
    })(directory);
    const unlucky = new AttemptLogs(directory, BYTES_MAX, full);
    await expect(unlucky.archive(attempt)).rejects.toThrow('no room');
    expect(await text()).toBe(LINES);
    expect(await readdir(join(directory, 'logs-compressing'))).toEqual([]);
  });

  it('when it is read while it is archived, then no reader misses a byte', async () => {
    const other = open();
    const readers = Array.from({ length: 20 }, async () => text(other));
    const [isArchived, ...read] = await Promise.all([logs.archive(attempt), ...readers]);
    expect([isArchived, ...new Set(read)]).toEqual([true, LINES]);
    expect(await text(other)).toBe(LINES);
  });

  it('when the archived file is damaged, then that is said instead of read', async () => {
    await logs.archive(attempt);
    const bytes = await readFile(archived());
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    await writeFile(archived(), bytes);
    await expect(open().read(attempt, 0, 10)).rejects.toMatchObject({ code: 'digest_mismatch' });
    expect((await open().read(attempt, 3 * BLOCK_BYTES, 10)).length).toBe(10);
    await writeFile(archived(), bytes.subarray(0, -1));
    await expect(open().size(attempt)).rejects.toMatchObject({ code: 'digest_mismatch' });
  });

  it('when it is idle, then it is found to be archived, and kept as long after its last line as any', async () => {
    await utimes(growing(), 1_000, 1_000);
    const found = [];
    for await (const each of logs.idleSince(Date.now())) found.push(each);
    expect(found).toEqual([attempt]);
    await logs.archive(attempt);
    for await (const each of logs.idleSince(Date.now())) throw new Error(`${each.jobKey} is archived`);
    expect(await logs.removeOlderThan(1_000_000 + 3_000, 3_000)).toBe(0);
    expect(await logs.removeOlderThan(1_000_000 + 3_001, 3_000)).toBe(1);
    expect([await text(), await logs.size(attempt)]).toEqual(['', 0]);
  });

  it('when it is empty, then nothing is kept', async () => {
    const empty = { ...attempt, attempt: 2 };
    await logs.append(empty, 0, new Uint8Array());
    expect(await logs.archive(empty)).toBe(true);
    expect([await logs.size(empty), linesIn(await logs.outline(empty))]).toEqual([0, 0]);
    expect(await readdir(join(directory, 'logs', attempt.runId, 'unit'))).toEqual(['1.log']);
  });
});
