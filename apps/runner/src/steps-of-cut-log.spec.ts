import { describe, expect, it } from '@jest/globals';
import type { StepResult } from '@delta-ci/contracts';
import { stepsOfCutLog } from './steps-of-cut-log.ts';

const step = (from: number, to: number): StepResult => ({
  name: `from ${from}`,
  exitCode: 0,
  signal: null,
  timedOut: false,
  oomKilled: false,
  usage: { wallMs: 1, cpuMs: null, memoryPeakBytes: null },
  logRange: { from, to },
});

const rangesOf = (steps: readonly StepResult[]): number[][] =>
  stepsOfCutLog(steps, 100, 150).map(({ logRange: { from, to } }) => [from, to]);

describe('where the output of steps stands in a log that was cut', () => {
  it('is what is there of it, and the end of the log is the last step’s', () => {
    // The second was counted while its end still might have fitted, the third behind the marker.
    expect(rangesOf([step(0, 40), step(50, 120), step(110, 110), step(110, 110)])).toEqual([
      [0, 40],
      [50, 100],
      [100, 100],
      [100, 150],
    ]);
    expect(rangesOf([step(0, 110)])).toEqual([[0, 150]]);
  });
});
