import { z } from 'zod';
import { shortHash } from './short-hash.ts';

/**
 * How long steps take, as learned from runs. A step is known by its name, where it runs and what it runs: another command
 * is another step, about which nothing is known yet.
 */

/** The step's name and a hash of its folder and command line: `test packages/cart 1a2b3c4d`. */
export const StepKey = z.string().min(1).max(220);
export type StepKey = z.infer<typeof StepKey>;

/** Which share of a longer step another one is: the second of three. Together they do what the step does that `of` names. */
export const StepShare = z.strictObject({
  of: StepKey,
  number: z.number().int().min(1).max(1_000),
  count: z.number().int().min(2).max(1_000),
});
export type StepShare = z.infer<typeof StepShare>;

export const LearnedDuration = z.strictObject({
  /** Milliseconds of wall time. */
  ms: z.number().int().positive(),
  /** In how many runs it was measured, of those that count. */
  runs: z.number().int().positive(),
});
export type LearnedDuration = z.infer<typeof LearnedDuration>;

/** What one repository's steps take. */
export const LearnedDurations = z.strictObject({
  /** What an attempt takes beside its steps: sandbox, checkout, uploads; null when nothing was measured. */
  startUp: LearnedDuration.nullable(),
  steps: z.record(StepKey, LearnedDuration),
});
export type LearnedDurations = z.infer<typeof LearnedDurations>;

/** By which name a step is known from one run to the next. */
export function stepKey({ name, run, workdir }: { name: string; run: string; workdir: string }): StepKey {
  return `${name} ${shortHash(`${workdir}\n${run}`)}`;
}

/** The name of the step that a key stands for. */
export function stepNameOf(key: StepKey): string {
  return key.slice(0, -' 1a2b3c4d'.length);
}
