import { describe, expect, it } from '@jest/globals';
import { recorded } from '../recorded-surroundings.fixture.ts';
import { Progress } from './progress.ts';

/** Shows at the given moments, in milliseconds from the beginning, and ends. */
function shownAt(moments: readonly number[], columns: number | null, silent = false): string {
  const { surroundings, err } = recorded('/', {}, columns);
  let now = 0;
  const progress = new Progress({ ...surroundings, nowMs: () => now }, silent);
  for (const moment of moments) {
    now = moment;
    progress.show(moment, 20_000);
  }
  progress.end();
  return err();
}

describe('progress', () => {
  it('on a terminal is one line that is overwritten and taken away at the end', () => {
    expect(shownAt([10, 300, 350, 10_000], 80)).toBe(
      '\r300 of 20000 records (1 %)\u001b[K\r10000 of 20000 records (50 %)\u001b[K\r\u001b[K',
    );
  });

  it('elsewhere is a line now and then, which stays', () => {
    expect(shownAt([300, 10_000, 15_000, 20_000], null)).toBe(
      '10000 of 20000 records (50 %)\n20000 of 20000 records (100 %)\n',
    );
  });

  it('of something quick, or where nobody reads it, is nothing', () => {
    expect(shownAt([10, 100], 80)).toBe('');
    expect(shownAt([10_000, 20_000], 80, true)).toBe('');
  });
});
