import { describe, expect, it } from '@jest/globals';
import { LocalLog } from './local-log.ts';

/** The lines of a step, of a log that has these steps. */
function linesOf(steps: readonly string[], stepsAfter: number): string[] | null {
  const log = new LocalLog();
  for (const step of steps) {
    log.stepBegins();
    log.write(Buffer.from(step));
  }
  log.end();
  const { failedStep } = log.evidence(stepsAfter);
  return failedStep === null
    ? null
    : steps
        .join('')
        .split('\n')
        .slice(failedStep.from - 1, failedStep.to);
}

describe('the log of a job of a local run', () => {
  it('given a step that others came after, then its lines are its own', () => {
    const steps = ['checkout\n', '$ a\nError: a\n', '$ b\nwell\n', '', '$ c\nwell'];
    expect([0, 1, 2, 3, 4].map((after) => linesOf(steps, after))).toEqual([
      ['$ c', 'well'],
      null,
      ['$ b', 'well'],
      ['$ a', 'Error: a'],
      ['checkout'],
    ]);
  });

  it('given a step that does not end its last line, then that is its own all the same', () => {
    const steps = ['$ a\nError: a', '\n$ b\n'];
    expect([linesOf(steps, 1), linesOf(steps, 0)]).toEqual([['$ a', 'Error: a'], ['$ b']]);
  });
});
