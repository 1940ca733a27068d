import type { LedgerEntry, ShadowRules } from '@delta-ci/contracts';

/** What is known of the shadow ledger when a change is planned: a part of what the plan is made of. */
export interface ShadowInput {
  readonly rules: ShadowRules;
  /** Of this repository, in the order of names. */
  readonly entries: readonly LedgerEntry[];
  /** Whether work is waiting already: then no sample is taken. */
  readonly busy: boolean;
  /** Why there is no plan with shadows, where planning found out: then none is made with any. No part of what is recorded. */
  readonly unfit?: string;
}
