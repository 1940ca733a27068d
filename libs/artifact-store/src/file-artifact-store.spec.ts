import { mkdir, mkdtemp, readFile, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FileArtifactStore, digestOf } from './index.ts';

let directory: string;
let store: FileArtifactStore;
const attempt = { runId: `run_${'0'.repeat(32)}`, jobKey: 'unit', attempt: 1 };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'delta-store-'));
  store = new FileArtifactStore(directory, 1_000);
});
afterEach(async () => rm(directory, { recursive: true, force: true }));

describe('content', () => {
  it('given bytes, when stored twice, then one object is found by its digest', async () => {
    const first = await store.content.put(Buffer.from('hello'), { sizeBytesMax: 10 });
    const second = await store.content.put(Readable.from([Buffer.from('hel'), Buffer.from('lo')]), {
      sizeBytesMax: 10,
    });
    expect(second).toEqual(first);
    expect(first).toEqual({ digest: digestOf('hello'), sizeBytes: 5 });
    expect(Buffer.from(await store.content.read(first.digest, 10)).toString()).toBe('hello');
  });

  it('given another digest than announced, when stored, then it is refused and nothing stays', async () => {
    const put = store.content.put(Buffer.from('evil'), { sizeBytesMax: 10, expected: digestOf('good') });
    await expect(put).rejects.toMatchObject({ code: 'digest_mismatch' });
    expect(await store.content.size(digestOf('evil'))).toBeNull();
    expect(await readdir(join(directory, 'incoming'))).toEqual([]);
  });

  it('given a stream over the limit, when stored, then it is refused while it streams', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(64);
      })(),
    );
    await expect(store.content.put(endless, { sizeBytesMax: 1_000 })).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    expect(await readdir(join(directory, 'incoming'))).toEqual([]);
  });

  it('given a disk that lies, when read, then the difference is named', async () => {
    const { digest } = await store.content.put(Buffer.from('hello'), { sizeBytesMax: 10 });
    const hex = digest.slice(7);
    await writeFile(join(directory, 'objects', 'sha256', hex.slice(0, 2), hex), 'HELLO');
    await expect(store.content.read(digest, 10)).rejects.toMatchObject({ code: 'digest_mismatch' });
  });

  it('given a disk that lies, when an object is streamed, then the reader never gets all of it', async () => {
    const bytes = Buffer.alloc(300_000, 'a');
    const { digest } = await store.content.put(bytes, { sizeBytesMax: bytes.byteLength });
    expect(await received(digest)).toEqual({ bytes: bytes.byteLength, error: null });
    const hex = digest.slice(7);
    for (const lie of [Buffer.alloc(300_000, 'b'), Buffer.concat([bytes.subarray(1), Buffer.from('b')])]) {
      await writeFile(join(directory, 'objects', 'sha256', hex.slice(0, 2), hex), lie);
      const got = await received(digest);
      expect(got.error).toMatchObject({ code: 'digest_mismatch' });
      expect(got.bytes).toBeLessThan(bytes.byteLength);
    }
  });

  it('given an object without bytes, when streamed, then it ends at once', async () => {
    const { digest } = await store.content.put(Buffer.alloc(0), { sizeBytesMax: 1 });
    expect(await received(digest)).toEqual({ bytes: 0, error: null });
  });

  async function received(digest: string): Promise<{ bytes: number; error: unknown }> {
    let bytes = 0;
    try {
      for await (const chunk of (await store.content.open(digest))?.stream ?? []) bytes += (chunk as Buffer).byteLength;
      return { bytes, error: null };
    } catch (error) {
      return { bytes, error };
    }
  }

  it('given nothing, when read, then it is not found', async () => {
    await expect(store.content.read(digestOf('x'), 10)).rejects.toMatchObject({ code: 'not_found' });
    expect(await store.content.open(digestOf('x'))).toBeNull();
  });
});

describe('what nobody needs any more', () => {
  const HOUR_MS = 3_600_000;

  it('given an upload whose process died, when it has been idle long enough, then it is removed and others stay', async () => {
    const { digest } = await store.content.put(Buffer.from('kept'), { sizeBytesMax: 10 });
    const [dead, alive] = [join(directory, 'incoming', 'dead'), join(directory, 'incoming', 'alive')];
    await writeFile(dead, 'half');
    await utimes(dead, 0, 0);
    await writeFile(alive, 'half');
    expect(await store.content.removeAbandoned(Date.now(), HOUR_MS)).toBe(1);
    expect(await readdir(join(directory, 'incoming'))).toEqual(['alive']);
    expect(await store.content.size(digest)).toBe(4);
  });

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
