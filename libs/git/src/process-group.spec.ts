import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TextTail } from './process-group.ts';

function kept(limitBytes: number, pieces: readonly string[]): string {
  const tail = new TextTail(limitBytes);
  for (const piece of pieces) tail.add(Buffer.from(piece));
  return tail.text();
}

describe('the beginning and the end of a stream of text', () => {
  it('given text within the limit, when it arrives in any pieces, then all of it is kept', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 10 }), { maxLength: 10 }), (pieces) => {
        expect(kept(200, pieces)).toBe(pieces.join(''));
      }),
    );
  });

  it('given more text, when it arrives in any pieces, then whole lines of both ends are kept within the limit', () => {
    const text = Array.from({ length: 100 }, (_, line) => `line ${line}\n`).join('');
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const result = kept(
          100,
          places.slice(1).map((end, index) => text.slice(places[index], end)),
        );
        expect(result.length).toBeLessThanOrEqual(106);
        expect(result).toMatch(/^(?:line \d+\n)+\[\.\.\.\]\n(?:line \d+\n)+$/u);
        expect(result.startsWith('line 0\n') && result.endsWith('line 99\n')).toBe(true);
      }),
    );
  });

  it('given one line without end, when it is too long, then no half of it is kept', () => {
    expect(kept(10, ['x'.repeat(100)])).toBe('[...]\n');
  });
});
