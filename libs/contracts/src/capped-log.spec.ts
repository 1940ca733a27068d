import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CappedLog } from './capped-log.ts';
import { LOG_BYTES_MAX } from './runner-protocol.ts';

/** What passes on of these chunks. */
function passed(bytesMax: number, chunks: readonly Uint8Array[]): { text: string; isCut: boolean } {
  const log = new CappedLog(bytesMax);
  // Copies: what is handed over may be written again by whoever did.
  const parts = chunks.flatMap((chunk) => log.take(chunk).map((part) => Buffer.from(part)));
  const text = Buffer.concat([...parts, ...log.end()]).toString('latin1');
  return { text, isCut: log.isCut };
}

const MARKER = /\n\[delta\] the log has reached its limit of (\d+) bytes: of what comes now, only the end is kept\n/;
const CUT = /\[delta\] (\d+) bytes were left out\n/;

/** Lines of a job without a word of ours in them, in chunks that know nothing of lines. */
const chunked = fc.array(fc.stringMatching(/^[a-z]{0,40}$/), { maxLength: 200 }).chain((lines) => {
  const text = lines.map((line) => `${line}\n`).join('');
  return fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 40 }).map((sizes) => {
    const chunks: Buffer[] = [];
    for (let at = 0, turn = 0; at < text.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1;
      chunks.push(Buffer.from(text.slice(at, at + size)));
      at += size;
    }
    return { text, chunks };
  });
});

describe('the log of a job, bounded', () => {
  it('law: it is never more than the bound, and one that leaves room for the words passes as it is', () => {
    fc.assert(
      fc.property(chunked, fc.integer({ min: 400, max: 4_000 }), ({ text, chunks }, bytesMax) => {
        const { text: log, isCut } = passed(bytesMax, chunks);
        expect(log.length).toBeLessThanOrEqual(bytesMax);
        expect(isCut || log === text).toBe(true);
        expect(isCut && text.length <= bytesMax - 200).toBe(false);
      }),
    );
  });

  it('law: of one that is cut the beginning, whole lines of the end, and the number of bytes between them are there', () => {
    fc.assert(
      fc.property(chunked, fc.integer({ min: 400, max: 1_000 }), ({ text, chunks }, bytesMax) => {
        const { text: log, isCut } = passed(bytesMax, chunks);
        if (!isCut) return;
        const [before = '', limit, rest = ''] = log.split(MARKER);
        const [nothing, leftOut, end = ''] = rest.split(CUT);
        expect([Number(limit), nothing]).toEqual([bytesMax, '']);
        expect(text.startsWith(before) && text.endsWith(end)).toBe(true);
        expect(Number(leftOut)).toBe(text.length - before.length - end.length);
        expect(Number(leftOut)).toBeGreaterThan(0);
        expect(end.length).toBeGreaterThan(0);
        expect(text[text.length - end.length - 1]).toBe('\n');
      }),
    );
  });

  it('law: as long as nothing is left out, every byte was passed on or is held; then it is known where', () => {
    fc.assert(
      fc.property(chunked, fc.integer({ min: 400, max: 1_000 }), ({ chunks }, bytesMax) => {
        const log = new CappedLog(bytesMax);
        let [taken, passedOn] = [0, 0];
        for (const chunk of chunks) {
          taken += chunk.byteLength;
          for (const part of log.take(chunk)) passedOn += part.byteLength;
          expect(log.cutAt === null ? passedOn + log.heldBytes : log.heldBytes).toBe(log.cutAt === null ? taken : 0);
        }
        const { text, isCut } = passed(bytesMax, chunks);
        expect(log.cutAt).toBe(isCut ? text.search(MARKER) : null);
        log.end();
        expect(log.heldBytes).toBe(0);
      }),
    );
  });

  it('given a last line that is longer than all that is kept of the end, then its end is kept', () => {
    const { text } = passed(1_000, [Buffer.from('a\n'.repeat(1_000)), Buffer.from(`${'x'.repeat(2_000)}y\n`)]);
    expect(text).toMatch(/bytes were left out\nx{200,}y\n$/);
  });

  it('given the real bound, then the marker stands as soon as the end alone can be kept', () => {
    const log = new CappedLog(LOG_BYTES_MAX);
    const chunk = Buffer.alloc(1024 * 1024, 'x\n');
    let passedOn = 0;
    for (let turn = 0; turn < 65; turn += 1) for (const part of log.take(chunk)) passedOn += part.byteLength;
    expect(log.isCut).toBe(true);
    const end = log.end().reduce((sum, part) => sum + part.byteLength, 0);
    expect(passedOn + end).toBeLessThanOrEqual(LOG_BYTES_MAX);
    expect(passedOn + end).toBeGreaterThan(LOG_BYTES_MAX - 100);
  });
});
