import { z } from 'zod';

/**
 * The shadow ledger: a sample of changes also runs what the plan leaves out, and what comes of it is held against each
 * **optimisation**, the rule of impact by which something was left out.
 */

/** Name of a rule of impact, as explanations have it: `ownership`, `documentation`. */
export const Optimisation = z.string().min(1).max(100);
export type Optimisation = z.infer<typeof Optimisation>;

/** Why a job is in the plan that optimisations would leave out of it. */
export const LeftOut = z.strictObject({
  /** The optimisations that leave it out together: which of them was at fault, nobody can tell. */
  by: z.array(Optimisation).min(1).max(50),
  /** `shadow`: a sample that decides nothing. `counted`: it runs as any job, because one of them is switched off. */
  as: z.enum(['shadow', 'counted']),
});
export type LeftOut = z.infer<typeof LeftOut>;

/** How much is sampled, and what is made of it. */
export const ShadowRules = z.strictObject({
  /** Share of the trusted changes that run what is left out as well: 0 keeps no ledger, 1 runs everything always. */
  rate: z.number().min(0).max(1),
  /** An optimisation whose bound of the escape rate is above this switches itself off. */
  escapeRateMax: z.number().min(0.001).max(1),
  /** Samples before which those that are missing count as if nothing had escaped in them. */
  samplesMin: z.number().int().min(1).max(2_000),
});
export type ShadowRules = z.infer<typeof ShadowRules>;

/**
 * No sample unless somebody asks for it: whoever installs this pays for every minute. A limit of 5 % after 100 samples
 * stands one escape among the first hundred and no second one.
 */
export const DEFAULT_SHADOW_RULES: ShadowRules = { rate: 0, escapeRateMax: 0.05, samplesMin: 100 };

/** What the ledger has of one optimisation, as planning is told. */
export const LedgerEntry = z.strictObject({
  optimisation: Optimisation,
  /** Samples that could be judged. */
  samples: z.number().int().nonnegative(),
  /** Of them: what was selected had failed already; a shadow failed twice and nothing else had; it passed when run again. */
  caught: z.number().int().nonnegative(),
  escaped: z.number().int().nonnegative(),
  unstable: z.number().int().nonnegative(),
});
export type LedgerEntry = z.infer<typeof LedgerEntry>;

/** What a plan leaves out, and whether that is looked at. */
export const PlanShadow = z.strictObject({
  rules: ShadowRules,
  /** `shed`: the change is in the sample, and work was waiting already. */
  sample: z.enum(['taken', 'not-taken', 'shed']),
  /** By which something is left out of this plan; empty when nothing is. */
  by: z.array(Optimisation).max(50),
  /** Jobs that are left out, and what those take of which that is known, in milliseconds of a runner. */
  jobs: z.number().int().nonnegative(),
  unmeasured: z.number().int().nonnegative(),
  ms: z.number().int().nonnegative(),
  /** Optimisations that were switched off when this was planned. */
  off: z.array(Optimisation).max(50),
});
export type PlanShadow = z.infer<typeof PlanShadow>;

/** One job of a sample, as it ended. */
export interface SampledJob {
  readonly key: string;
  readonly leftOut: LeftOut;
  readonly outcome: string;
  /** Attempts that failed for a reason of their own: no runner was lost, no infrastructure failed. */
  readonly failures: number;
}

/** A finished run with jobs that optimisations leave out. */
export interface SampledRun {
  readonly runId: string;
  /** The commit that was tested: all runs of one are one sample. */
  readonly commit: string;
  readonly finishedAtMs: number;
  /**
   * What the jobs came to that no optimisation leaves out. `failed`: some of them for a reason of their own. `undecided`: some
   * did not end by themselves, or for want of a runner or of infrastructure, which says nothing of the change.
   */
  readonly selected: 'passed' | 'failed' | 'undecided';
  readonly jobs: readonly SampledJob[];
}
