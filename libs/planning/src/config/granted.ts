import { DEFAULT_JOB_POLICY, type JobLimits, type JobPolicy } from '@delta-ci/contracts';
import { PRIORITY_MAX } from '../construction/job-decisions.ts';
import type { PlanningInputs } from '../model.ts';
import { limitsOf } from './config-limits.ts';
import { configuredPolicy } from './config-policy.ts';
import { combinationsOf, filledJob } from './matrix.ts';
import { readConfig } from './read-config.ts';

/** The most that jobs of an untrusted change may take, and how far they may go before others. */
export interface Grant {
  readonly limits: JobLimits;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly retryTimeouts: boolean;
  readonly priority: number;
  /** Labels of runners that jobs may ask for. */
  readonly labels: ReadonlySet<string>;
}

/**
 * What a stranger's jobs are granted: what any job gets, and what the configuration file of the commit that the change is
 * compared with has given to some job already, since that was written by somebody trusted. Null for trusted changes, which
 * may have whatever a plan can say.
 */
export function grantOf({
  change,
  comparison,
  rules,
}: Pick<PlanningInputs, 'change' | 'comparison' | 'rules'>): Grant | null {
  if (change.trust === 'trusted') return null;
  const read = comparison.kind === 'everything' ? null : readConfig(comparison.snapshot);
  const file = read?.ok === true ? (read.config?.file ?? null) : null;
  const jobs = Object.values(file?.jobs ?? {});
  const policies = jobs.map(configuredPolicy);
  const expanded = jobs.flatMap((job) => combinationsOf(job).map((combination) => filledJob(job, combination)));
  const most = (given: number, of: (policy: JobPolicy) => number): number => Math.max(given, ...policies.map(of));
  return {
    limits: combined(limitsOf(null, rules), limitsOf(file, rules), Math.max),
    timeoutMs: most(DEFAULT_JOB_POLICY.timeoutMs, ({ timeoutMs }) => timeoutMs),
    retries: most(DEFAULT_JOB_POLICY.retries, ({ retries }) => retries),
    retryTimeouts: [DEFAULT_JOB_POLICY, ...policies].some(({ retryTimeouts }) => retryTimeouts),
    priority: most(PRIORITY_MAX, ({ priority }) => priority),
    labels: new Set(expanded.flatMap((job) => job.runs_on ?? [])),
  };
}

/** Special runners are for whom somebody trusted has sent there: others run on those that any job gets. */
export function labelsWithin(labels: readonly string[], grant: Grant | null): string[] {
  return labels.filter((label) => grant === null || grant.labels.has(label));
}

export function limitsWithin(limits: JobLimits, grant: Grant | null): JobLimits {
  return grant === null ? limits : combined(limits, grant.limits, Math.min);
}

export function policyWithin(policy: JobPolicy, grant: Grant | null): JobPolicy {
  if (grant === null) return policy;
  return {
    ...policy,
    timeoutMs: Math.min(policy.timeoutMs, grant.timeoutMs),
    retries: Math.min(policy.retries, grant.retries),
    retryTimeouts: policy.retryTimeouts && grant.retryTimeouts,
    priority: Math.min(policy.priority, grant.priority),
  };
}

function combined(one: JobLimits, other: JobLimits, choose: (one: number, other: number) => number): JobLimits {
  return {
    cpuCount: choose(one.cpuCount, other.cpuCount),
    memoryBytes: choose(one.memoryBytes, other.memoryBytes),
    diskBytes: choose(one.diskBytes, other.diskBytes),
    pids: choose(one.pids, other.pids),
  };
}
