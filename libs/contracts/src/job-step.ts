import { z } from 'zod';
import { StepShare } from './durations.ts';

/** A path inside the repository or workspace, with `/` between parts. */
export const RelativePath = z.string().min(1).max(4_096);

export const JobKind = z.enum(['install', 'build', 'typecheck', 'lint', 'test', 'check', 'custom']);
export type JobKind = z.infer<typeof JobKind>;

export const JobStep = z.strictObject({
  name: z.string().min(1).max(200),
  /** A command line for `/bin/sh -e`. */
  run: z.string().min(1).max(65_536),
  /** Relative to the workspace; `.` is its root. */
  workdir: RelativePath,
  /** It needs no other step that says the same: each of them runs when another failed, and any that fails fails the job. */
  independent: z.literal(true).optional(),
  /** Which share of a longer step it is; absent when it is a step of its own. */
  share: StepShare.optional(),
});
export type JobStep = z.infer<typeof JobStep>;
