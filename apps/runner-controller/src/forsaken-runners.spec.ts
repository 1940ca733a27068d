import { beforeEach, describe, expect, it } from '@jest/globals';
import { FORSAKEN_AFTER_MS, ForsakenRunners } from './forsaken-runners.ts';

const [ONE, OTHER] = [`rnr_${'1'.repeat(32)}`, `rnr_${'2'.repeat(32)}`];
const T0 = 1_760_000_000_000;

describe('runners that a controller left behind', () => {
  let forsaken: ForsakenRunners;
  beforeEach(() => {
    forsaken = new ForsakenRunners();
  });

  it('given one that has had no job for long enough, then it is written off, and no sooner, however old it is', () => {
    expect(forsaken.among([ONE], T0)).toEqual([]);
    expect(forsaken.among([ONE], T0 + FORSAKEN_AFTER_MS)).toEqual([]);
    expect(forsaken.among([ONE, OTHER], T0 + FORSAKEN_AFTER_MS + 1)).toEqual([ONE]);
    expect(forsaken.among([OTHER], T0 + 2 * FORSAKEN_AFTER_MS + 2)).toEqual([OTHER]);
  });

  it('given one that was given a job by its last request, then it is left alone, and waited for anew once it has none', () => {
    forsaken.among([ONE], T0);
    expect(forsaken.among([], T0 + 20_000)).toEqual([]);
    expect(forsaken.among([ONE], T0 + FORSAKEN_AFTER_MS + 1)).toEqual([]);
    expect(forsaken.among([ONE], T0 + 2 * FORSAKEN_AFTER_MS + 2)).toEqual([ONE]);
  });
});
