import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cappedLines } from './capped-lines.ts';

async function capped(chunks: readonly Uint8Array[], bytesMax: number): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of cappedLines(
    (async function* () {
      yield* await Promise.resolve(chunks);
    })(),
    bytesMax,
  ))
    parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('lines of which none is too long', () => {
  it('law: however the log is cut in chunks, each line is there up to the limit, and it is told how much is not', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b', '\r'), maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 20 }),
        async (lines, max, size) => {
          const bytes = Buffer.from(lines.join('\n'));
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
            bytes.subarray(at * size, (at + 1) * size),
          );
          const expected = lines.map((text) =>
            text.length <= max
              ? text
              : `${text.slice(0, max)} [delta] ${text.length - max} bytes of this line are left out`,
          );
          expect(await capped(chunks, max)).toBe(expected.join('\n'));
        },
      ),
    );
  });

  it('given a character at the limit, then it is not torn', async () => {
    expect(await capped([Buffer.from('ab✓cd\nnext')], 4)).toBe('ab [delta] 5 bytes of this line are left out\nnext');
  });

  it('given one line of 64 MiB, then some bytes come', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const text = await capped(
      Array.from({ length: 64 }, () => chunk),
      64 * 1024,
    );
    expect(text).toBe(
      `${'x'.repeat(65_536)} [delta] ${63 * 1024 * 1024 + 15 * 65_536} bytes of this line are left out`,
    );
  });
});
