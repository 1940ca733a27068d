import {
  DEFAULT_JOB_LIMITS,
  type ExplanationLink,
  type IsolationTier,
  type JobLimits,
  type JobRequirements,
  type TrustLevel,
} from '@delta-ci/contracts';
import type { PlanningRules, Unit } from '../model.ts';

/** What the installation, the trust in the change and the configuration file say about every job alike. */
export interface JobTerms {
  readonly rules: PlanningRules;
  readonly trust: TrustLevel;
  readonly limits: JobLimits;
  readonly requirements: (toolchain: Unit['toolchain'], labels?: readonly string[]) => JobRequirements;
  /** Hosts a job gets of those it needs. */
  readonly egressFor: (hosts: readonly string[]) => readonly string[];
  readonly policies: readonly ExplanationLink[];
}

export interface TermsGiven {
  readonly rules: PlanningRules;
  readonly trust: TrustLevel;
  readonly limits?: Partial<JobLimits>;
  /** Takes the place of what jobs need by themselves. */
  readonly egress?: readonly string[] | undefined;
}

export function termsOf({ rules, trust, limits, egress }: TermsGiven): JobTerms {
  const isolation = isolationFor(trust, rules);
  return {
    rules,
    trust,
    limits: { ...DEFAULT_JOB_LIMITS, ...limits },
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

/** Tiers from the weakest. */
const TIERS: readonly IsolationTier[] = ['process', 'sandbox', 'gvisor', 'container', 'microvm'];

/** Code of strangers never runs without a sandbox, whatever trusted code gets. */
export function isolationFor(trust: TrustLevel, { trustedIsolation }: PlanningRules): IsolationTier {
  const weaker = TIERS.indexOf(trustedIsolation) < TIERS.indexOf('sandbox');
  return trust === 'untrusted' && weaker ? 'sandbox' : trustedIsolation;
}

/** Whether `tier` is at least as strong as `minimum`. */
export function isAtLeast(tier: IsolationTier, minimum: IsolationTier): boolean {
  return TIERS.indexOf(tier) >= TIERS.indexOf(minimum);
}

function policyLink(trust: TrustLevel, isolation: IsolationTier): ExplanationLink {
  return trust === 'trusted'
    ? { kind: 'policy', policy: 'trusted-change', detail: `isolation of at least ${isolation}` }
    : {
        kind: 'policy',
        policy: 'untrusted-change',
        detail: `isolation of at least ${isolation}, no secrets, no cache writes, hosts from the list for strangers only`,
      };
}

/** Runners compare plain versions part by part; a range is left to the toolchain itself, which reads it too. */
function requiredToolchain({ name, version }: NonNullable<Unit['toolchain']>): { name: string; version: string } {
  return { name, version: /^\d+(?:\.\d+)*$/u.test(version) ? version : '*' };
}
