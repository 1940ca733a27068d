import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { zstdDecompressSync } from 'node:zlib';
import { compressLog, readLog, verifyLog } from './compressed-log.ts';
import { decodeIndex, indexBytesFor, outlineOf, type FrameIndex } from './frame-index.ts';
import { BLOCK_BYTES, lineFeedsIn } from './log-outline.ts';
import { logBytes } from './made-up-log.fixture.ts';

async function compressed(log: Uint8Array): Promise<Buffer> {
  const blocks = async function* () {
    for (let at = 0; at < log.length; at += BLOCK_BYTES)
      yield await Promise.resolve(log.subarray(at, at + BLOCK_BYTES));
  };
  const parts: Uint8Array[] = [];
  for await (const part of compressLog(blocks())) parts.push(part);
  return Buffer.concat(parts);
}

function indexOf(file: Buffer): FrameIndex {
  const index = decodeIndex(file.subarray(-indexBytesFor(4 * BLOCK_BYTES)), file.length);
  if (index === null) throw new Error('no index');
  return index;
}

describe('a compressed log', () => {
  it('law: any range of bytes is that slice of the whole, out of the frames it lies in', async () => {
    await fc.assert(
      fc.asyncProperty(logBytes, fc.nat(), fc.nat(2 * BLOCK_BYTES), async (log, start, length) => {
        const file = await compressed(log);
        const index = indexOf(file);
        const from = start % (log.length + 2);
        const asked: [number, number][] = [];
        const read = async (at: number, to: number): Promise<Uint8Array> => {
          asked.push([at, to]);
          return Promise.resolve(file.subarray(at, to));
        };
        const bytes = await readLog(index, read, from, from + length);
        expect(Buffer.from(bytes ?? []).equals(log.subarray(from, from + length))).toBe(true);
        const opened = index.frames.filter((frame) => asked.some(([at, to]) => frame.from >= at && frame.to <= to));
        expect(opened.length).toBeLessThanOrEqual(Math.ceil(length / BLOCK_BYTES) + 1);
        await verifyLog(index, read);
      }),
      { numRuns: 40 },
    );
  });

  it('law: whoever knows zstd alone reads the log, and the index tells its lines', async () => {
    await fc.assert(
      fc.asyncProperty(logBytes, async (log) => {
        const file = await compressed(log);
        const { lineFeeds, sizeBytes } = outlineOf(indexOf(file));
        expect(sizeBytes).toBe(log.length);
        expect(lineFeeds.reduce((sum, count) => sum + count, 0)).toBe(lineFeedsIn(log));
        expect(log.length === 0 || zstdDecompressSync(file).equals(log)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('law: whatever byte is changed, nothing wrong is read', async () => {
    const log = Buffer.from('one line\nand another\n'.repeat(9_000));
    const file = await compressed(log);
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(file);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        const index = decodeIndex(damaged, damaged.length);
        if (index === null) return;
        const read = async (from: number, to: number) => Promise.resolve(damaged.subarray(from, to));
        const bytes = await readLog(index, read, 0, log.length).catch((error: { code: string }) => error.code);
        expect(bytes === 'digest_mismatch' || log.equals(bytes as Uint8Array)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('given a file that was cut, or is something else, then it has no index', async () => {
    const file = await compressed(Buffer.from('a log\n'));
    expect(decodeIndex(file.subarray(0, -1), file.length - 1)).toBeNull();
    expect(decodeIndex(file, file.length + 1)).toBeNull();
    expect(decodeIndex(Buffer.alloc(500), 500)).toBeNull();
    expect(decodeIndex(Buffer.alloc(0), 0)).toBeNull();
  });

  it('given a log that has gone meanwhile, then there is nothing', async () => {
    const index = indexOf(await compressed(Buffer.from('a log\n')));
    expect(await readLog(index, async () => Promise.resolve(null), 0, 6)).toBeNull();
  });
});
