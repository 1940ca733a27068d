import type { StepResult } from '@delta-ci/contracts';

/**
 * Steps with where their output stands in a log of which something was left out. What was counted beyond that place while it still
 * might have fitted is not there. What is kept of the end was printed last, and so mostly by the last step.
 * @param cutAt the byte at which something was left out
 * @param logBytes of the whole log as it is kept
 */
export function stepsOfCutLog(steps: readonly StepResult[], cutAt: number, logBytes: number): StepResult[] {
  return steps.map((step, index) => {
    const from = Math.min(step.logRange.from, cutAt);
    const to = index === steps.length - 1 ? logBytes : Math.min(step.logRange.to, cutAt);
    return { ...step, logRange: { from, to } };
  });
}
