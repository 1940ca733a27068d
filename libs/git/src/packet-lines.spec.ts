import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DELIMITER, FLUSH, packetLine, packetsOf } from './packet-lines.ts';

/** The bytes in pieces of the given lengths, the rest as one. */
async function* inPieces(bytes: Buffer, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const length of lengths) {
    yield await Promise.resolve(bytes.subarray(at, at + length));
    at += length;
  }
  yield bytes.subarray(at);
}

async function read(text: string | Buffer, lengths: readonly number[] = []): Promise<string[]> {
  const packets: string[] = [];
  for await (const packet of packetsOf(inPieces(Buffer.from(text), lengths))) {
    packets.push(Buffer.isBuffer(packet) ? `data ${packet.toString('utf8')}` : packet);
  }
  return packets;
}

describe("git's packets", () => {
  it('law: what was written is read, however the stream is cut into pieces', async () => {
    const part = fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.constant(null), fc.constant(undefined));
    await fc.assert(
      fc.asyncProperty(fc.array(part), fc.array(fc.nat(20)), async (parts, lengths) => {
        const written = parts.map((text) =>
          text === null ? FLUSH : text === undefined ? DELIMITER : packetLine(text),
        );
        const expected = parts.map((text) =>
          text === null ? 'flush' : text === undefined ? 'delimiter' : `data ${text}`,
        );
        expect(await read(written.join(''), lengths)).toEqual(expected);
      }),
    );
  });

  it.each([
    ['something else', '<html>'],
    ['a length below its own digits', '0003'],
    ['a length with a sign', '-00aabcdef'],
    ['an end within a packet', '000aabc'],
    ['an end within a length', '00'],
  ])('given %s, then it is refused', async (_name, text) => {
    await expect(read(text)).rejects.toThrow('the answer');
  });
});
