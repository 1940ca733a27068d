import { DEFAULT_SHADOW_RULES, type PlanShadow, type SampledRun, type ShadowRules } from '@delta-ci/contracts';
import { byText } from '../tree-paths.ts';
import { escapesIn, foldLedger, type Escape } from './fold-ledger.ts';
import { judgeEntry, type JudgedEntry } from './judge-entry.ts';

/** What plans left out, as far as it was measured. */
export interface Spared {
  readonly plans: number;
  readonly jobs: number;
  /** Jobs that are left out of `ms`, because nobody knows how long they take. */
  readonly unmeasured: number;
  /** Milliseconds of runners. */
  readonly ms: number;
}

/** The ledger of one repository. */
export interface LedgerAccount {
  /** By which the newest plan was made; the defaults where no plan kept a ledger. */
  readonly rules: ShadowRules;
  /** Each with what plans left out by it, often together with others: these sums overlap. */
  readonly optimisations: readonly (JudgedEntry & { readonly spared: Spared })[];
  /** What all plans left out, each job once. */
  readonly spared: Spared;
  /** Plans whose change was in the sample, and those of them in which work was waiting already. */
  readonly taken: number;
  readonly shed: number;
  /** The newest first. */
  readonly escapes: readonly Escape[];
}

/**
 * @param samples the first to finish first
 * @param plans what each of the newest plans left out, the newest first
 */
export function accountOf(samples: readonly SampledRun[], plans: readonly PlanShadow[]): LedgerAccount {
  const rules = plans[0]?.rules ?? DEFAULT_SHADOW_RULES;
  const known = new Map(foldLedger(samples).map((entry) => [entry.optimisation, entry]));
  const names = [...new Set([...known.keys(), ...plans.flatMap(({ by }) => by)])].sort(byText);
  return {
    rules,
    optimisations: names.map((optimisation) => ({
      ...judgeEntry(known.get(optimisation) ?? { optimisation, ...NOTHING }, rules),
      spared: sparedIn(plans.filter(({ by }) => by.includes(optimisation))),
    })),
    spared: sparedIn(plans),
    taken: plans.filter(({ sample }) => sample === 'taken').length,
    shed: plans.filter(({ sample }) => sample === 'shed').length,
    escapes: escapesIn(samples),
  };
}

const NOTHING = { samples: 0, caught: 0, escaped: 0, unstable: 0 };

/** What ran as a shadow was not spared. */
function sparedIn(plans: readonly PlanShadow[]): Spared {
  const sparing = plans.filter(({ jobs, sample }) => jobs > 0 && sample !== 'taken');
  const sum = (of: (plan: PlanShadow) => number): number => sparing.reduce((total, plan) => total + of(plan), 0);
  return {
    plans: sparing.length,
    jobs: sum(({ jobs }) => jobs),
    unmeasured: sum(({ unmeasured }) => unmeasured),
    ms: sum(({ ms }) => ms),
  };
}
