import {
  ISOLATION_TIERS_FROM_WEAKEST,
  type ExplanationLink,
  type IsolationTier,
  type JobLimits,
  type JobRequirements,
  type TrustLevel,
} from '@delta-ci/contracts';
import type { PlanningRules, SnapshotEntry, Unit } from '../model.ts';

/** What the installation, the trust in the change and the configuration file say about every job alike. */
export interface JobTerms {
  readonly rules: PlanningRules;
  readonly trust: TrustLevel;
  readonly limits: JobLimits;
  /** Of the tested tree. */
  readonly entries: readonly SnapshotEntry[];
  readonly requirements: (toolchain: Unit['toolchain'], labels?: readonly string[]) => JobRequirements;
  /** Hosts a job gets of those it needs. */
  readonly egressFor: (hosts: readonly string[]) => readonly string[];
  readonly policies: readonly ExplanationLink[];
}

export interface TermsGiven {
  readonly rules: PlanningRules;
  readonly trust: TrustLevel;
  readonly limits: JobLimits;
  readonly entries: readonly SnapshotEntry[];
  /** Takes the place of what jobs need by themselves. */
  readonly egress?: readonly string[] | undefined;
}

export function termsOf({ rules, trust, limits, entries, egress }: TermsGiven): JobTerms {
  const isolation = isolationFor(trust, rules);
  return {
    rules,
    trust,
    limits,
    entries,
    requirements: (toolchain, labels = []) => ({
      pool: rules.pool,
      os: rules.os,
      isolation,
      toolchains: toolchain === null ? [] : [requiredToolchain(toolchain)],
      labels: [...labels],
    }),
    egressFor: (hosts) => {
      const wanted = egress ?? hosts;
      return trust === 'trusted' ? wanted : wanted.filter((host) => rules.untrustedEgress.includes(host));
    },
    policies: [policyLink(trust, isolation)],
  };
}

/** Code of strangers never runs without a sandbox, whatever trusted code gets. */
export function isolationFor(trust: TrustLevel, { trustedIsolation }: PlanningRules): IsolationTier {
  const weaker = !isAtLeast(trustedIsolation, 'sandbox');
  return trust === 'untrusted' && weaker ? 'sandbox' : trustedIsolation;
}

/** Whether `tier` is at least as strong as `minimum`. */
export function isAtLeast(tier: IsolationTier, minimum: IsolationTier): boolean {
  return ISOLATION_TIERS_FROM_WEAKEST.indexOf(tier) >= ISOLATION_TIERS_FROM_WEAKEST.indexOf(minimum);
}

function policyLink(trust: TrustLevel, isolation: IsolationTier): ExplanationLink {
  return trust === 'trusted'
    ? { kind: 'policy', policy: 'trusted-change', detail: `isolation of at least ${isolation}` }
    : {
        kind: 'policy',
        policy: 'untrusted-change',
        detail: `isolation of at least ${isolation}, no secrets, caches read and not saved, hosts from the list for strangers only, limits that the base had already`,
      };
}

/** Runners compare plain versions part by part; a range is left to the toolchain itself, which reads it too. */
function requiredToolchain({ name, version }: NonNullable<Unit['toolchain']>): { name: string; version: string } {
  return { name, version: /^\d+(?:\.\d+)*$/u.test(version) ? version : '*' };
}
