import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { paintFor } from './paint.ts';
import { table } from './table.ts';

const paint = paintFor(false, {});
const ROWS = [
  ['test-cart', 'failed', 'test-cart runs because packages/money/src/index.js was changed, and cart depends on it'],
  ['build', 'waits', ''],
];
const shown = (columns: number | null): string => table({ paint, columns }, ['JOB', 'STATE', 'WHY'], ROWS);

describe('a table', () => {
  it('without a terminal has each row in one line', () => {
    expect(shown(null)).toBe(
      'JOB        STATE   WHY\n' +
        'test-cart  failed  test-cart runs because packages/money/src/index.js was changed, and cart depends on it\n' +
        'build      waits\n',
    );
  });

  it('wraps its last column where that has room', () => {
    expect(shown(60)).toBe(
      'JOB        STATE   WHY\n' +
        'test-cart  failed  test-cart runs because\n' +
        '                   packages/money/src/index.js was changed,\n' +
        '                   and cart depends on it\n' +
        'build      waits\n',
    );
  });

  it.each([45, 50])('has its last column beneath the rows where it has none, at %d', (columns) => {
    expect(shown(columns).replace(/\s+/gu, ' ')).toContain('packages/money/src/index.js was changed, and cart');
    expect(shown(columns)).toMatch(/^JOB {8}STATE\n {4}WHY\ntest-cart {2}failed\n {4}test-cart runs because/u);
    expect(shown(columns)).toMatch(/\nbuild {6}waits\n$/u);
  });

  it('law: no word is cut, and no line is wider than the terminal unless by a word or what comes first', () => {
    const word = fc.stringMatching(/^[a-z/.]{1,60}$/);
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), fc.integer({ min: 1, max: 200 }), (words, columns) => {
        const text = table({ paint, columns }, ['A', 'B'], [['first', words.join(' ')]]);
        expect(text.split(/\s+/u).filter((each) => !['A', 'B', 'first', ''].includes(each))).toEqual(
          words.filter((each) => each !== 'first'),
        );
        // What comes first, a narrow column, or one long word beneath.
        const longest = Math.max(7 + 32, ...words.map(({ length }) => length + 4));
        for (const line of text.split('\n')) expect(line.length <= Math.max(columns, longest)).toBe(true);
      }),
    );
  });
});
