import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  BLOCK_BYTES,
  endsLine,
  lineAt,
  lineFeedsIn,
  linesIn,
  locateLines,
  type LogOutline,
  type ReadBlock,
} from './log-outline.ts';
import { logBytes } from './made-up-log.fixture.ts';

function looked(log: Uint8Array): { outline: LogOutline; read: ReadBlock; opened: Set<number> } {
  const opened = new Set<number>();
  const block = (at: number): Uint8Array => log.subarray(at * BLOCK_BYTES, (at + 1) * BLOCK_BYTES);
  const lineFeeds = Array.from({ length: Math.ceil(log.length / BLOCK_BYTES) }, (_, at) => lineFeedsIn(block(at)));
  const outline = { sizeBytes: log.length, lineFeeds, endsWithLineFeed: endsLine(log), isFinal: true };
  const read: ReadBlock = async (at) => {
    opened.add(at);
    return Promise.resolve(block(at));
  };
  return { outline, read, opened };
}

/** Lines with their line feeds, as everybody counts them. */
const split = (log: Uint8Array): string[] =>
  Buffer.from(log)
    .toString('latin1')
    .match(/[^\n]*\n|[^\n]+$/g) ?? [];

describe('lines of a log', () => {
  it('law: any range of lines is what splitting the whole gives, and at most two blocks are opened for it', async () => {
    await fc.assert(
      fc.asyncProperty(logBytes, fc.nat(3_000), fc.option(fc.nat(3_000)), async (log, from, length) => {
        const { outline, read, opened } = looked(log);
        const lines = split(log);
        expect(linesIn(outline)).toBe(lines.length);
        const selection = { first: from + 1, last: length === null ? null : from + 1 + length };
        const located = await locateLines(outline, read, selection);
        const text = Buffer.from(log.subarray(located?.fromByte ?? 0, located?.toByte ?? 0)).toString('latin1');
        const isThere = from < lines.length;
        expect([located === null, text]).toEqual([!isThere, lines.slice(from, selection.last ?? undefined).join('')]);
        const last = Math.min(selection.last ?? lines.length, lines.length);
        expect(located?.last).toBe(isThere ? last : undefined);
        expect(opened.size).toBeLessThanOrEqual(2);
      }),
      { numRuns: 60 },
    );
  });

  it('law: the last lines are the end of all lines', async () => {
    await fc.assert(
      fc.asyncProperty(logBytes, fc.nat(3_000), async (log, tail) => {
        const { outline, read } = looked(log);
        const located = await locateLines(outline, read, { tail });
        const text = Buffer.from(log.subarray(located?.fromByte, located?.toByte)).toString('latin1');
        const lines = split(log);
        expect(text).toBe(lines.slice(Math.max(0, lines.length - tail)).join(''));
      }),
      { numRuns: 60 },
    );
  });

  it('law: a byte is in the line that as many line feeds stand before as there are lines before it', async () => {
    await fc.assert(
      fc.asyncProperty(logBytes, fc.nat(), async (log, at) => {
        const offset = log.length === 0 ? 0 : at % log.length;
        const { outline, read } = looked(log);
        expect(await lineAt(outline, read, offset)).toBe(1 + lineFeedsIn(log.subarray(0, offset)));
      }),
      { numRuns: 60 },
    );
  });
});
