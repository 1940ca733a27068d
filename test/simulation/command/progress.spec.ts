import { describe, expect, it } from '@jest/globals';
import { Progress, progressText } from './progress.ts';

describe('the progress of a run', () => {
  it('says how fast it is and how long it will take', () => {
    expect(progressText(350, 10_000, 1, 50)).toBe('350 of 10000 seeds, 1 failed, 7.0 seeds/s, 23 min left');
    expect(progressText(90, 100, 0, 9)).toBe('90 of 100 seeds, 0 failed, 10.0 seeds/s, 1 s left');
  });

  it('given a terminal, then one line changes once a second, and ends with the run', () => {
    const written: string[] = [];
    let seconds = 0;
    const progress = new Progress({ isTTY: true, write: (text) => written.push(text) }, 5, () => seconds);
    for (let done = 1; done <= 5; done += 1) {
      seconds += 0.6;
      progress.show(done, 0);
    }
    expect(written.map((text) => text.slice(4, 5))).toEqual(['2', '4', '5']);
    expect(written.at(-1)).toMatch(/\n$/);
  });

  it('given no terminal, then every fiftieth seed is a line', () => {
    const written: string[] = [];
    const progress = new Progress({ write: (text) => written.push(text) }, 120, () => 1);
    for (let done = 1; done <= 120; done += 1) progress.show(done, 0);
    expect(written).toHaveLength(2);
  });
});
