import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AttachedOutput, type AttachedPiece } from './attached-output.ts';

const framed = ({ from, bytes }: AttachedPiece): Buffer => {
  const header = Buffer.alloc(8);
  header[0] = from === 'stderr' ? 2 : 1;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
};

/** What came from each output, however it was cut. */
const perOutput = (pieces: readonly AttachedPiece[], wanted: AttachedPiece['from']): string =>
  Buffer.concat(pieces.filter(({ from }) => from === wanted).map(({ bytes }) => bytes)).toString('hex');

const piece = fc.record({
  from: fc.constantFrom('stdout' as const, 'stderr' as const),
  bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
});

describe('attached output', () => {
  it('comes apart the same wherever the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.integer({ min: 1, max: 20 }), (pieces, chunkBytes) => {
        const stream = Buffer.concat(pieces.map(framed));
        const output = new AttachedOutput();
        const taken: AttachedPiece[] = [];
        for (let at = 0; at < stream.length; at += chunkBytes) {
          taken.push(...output.take(stream.subarray(at, at + chunkBytes)));
        }
        for (const from of ['stdout', 'stderr'] as const) expect(perOutput(taken, from)).toBe(perOutput(pieces, from));
      }),
    );
  });
});
