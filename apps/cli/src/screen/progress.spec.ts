import { describe, expect, it } from '@jest/globals';
import { recorded } from '../recorded-surroundings.fixture.ts';
import { Progress } from './progress.ts';

/** Shows at the given moments, in milliseconds from the beginning, and ends. */
function shownAt(moments: readonly number[], columns: number | null, json = false): string {
  const { surroundings, err } = recorded('/', {}, columns);
  let now = 0;
  const progress = new Progress({ ...surroundings, nowMs: () => now }, { json });
  for (const moment of moments) {
    now = moment;
    progress.show(() => `record ${moment} of 20000`);
  }
  progress.end();
  return err();
}

describe('progress', () => {
  it('on a terminal is one line that is overwritten and taken away at the end', () => {
    expect(shownAt([10, 300, 350, 10_000], 80)).toBe(
      '\rrecord 300 of 20000\u001b[K\rrecord 10000 of 20000\u001b[K\r\u001b[K',
    );
  });

  it('elsewhere is a line now and then, which stays', () => {
    expect(shownAt([300, 10_000, 15_000, 20_000], null)).toBe('record 10000 of 20000\nrecord 20000 of 20000\n');
  });

  it('on a narrow terminal is cut, because a line that wraps cannot be overwritten', () => {
    expect(shownAt([300], 10)).toBe('\rrecord 30\u001b[K\r\u001b[K');
  });

  it('of something quick, or where nobody reads it, is nothing', () => {
    expect(shownAt([10, 100], 80)).toBe('');
    expect(shownAt([10_000, 20_000], 80, true)).toBe('');
  });

  it('that will not be heard of again for long is shown to a terminal at once', () => {
    const shown = (columns: number | null): string => {
      const { surroundings, err } = recorded('/', {}, columns);
      new Progress(surroundings, {}).showNow(() => 'comparing');
      return err();
    };
    expect(shown(80)).toBe('\rcomparing\u001b[K');
    expect(shown(null)).toBe('');
  });
});
