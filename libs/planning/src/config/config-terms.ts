import type { ConfigFile, JobLimits, RunPolicy } from '@delta-ci/contracts';
import { termsOf, type JobTerms } from '../construction/job-terms.ts';
import type { PlanningInputs } from '../model.ts';

/** The run's policy with what the configuration file says. A stranger's file may tighten it, never loosen it. */
export function runPolicyOf({ policy, change }: PlanningInputs, config: ConfigFile | null): RunPolicy {
  const said = config?.policies?.runs;
  if (said === undefined) return policy;
  const bound = (wanted: number | undefined, given: number): number => {
    if (wanted === undefined) return given;
    return change.trust === 'trusted' ? wanted : Math.min(wanted, given);
  };
  return {
    ...policy,
    cancelSuperseded: said.cancel_superseded ?? policy.cancelSuperseded,
    failFast: said.fail_fast ?? policy.failFast,
    maxConcurrency: bound(said.max_concurrency, policy.maxConcurrency),
    runTimeoutMs: bound(
      said.max_runtime_seconds === undefined ? undefined : said.max_runtime_seconds * 1_000,
      policy.runTimeoutMs,
    ),
  };
}

export function termsFor({ rules, change }: PlanningInputs, config: ConfigFile | null): JobTerms {
  return termsOf({ rules, trust: change.trust, limits: limitsOf(config), egress: config?.egress?.allow });
}

function limitsOf(config: ConfigFile | null): Partial<JobLimits> {
  const said = config?.limits;
  return {
    ...(said?.cpu === undefined ? {} : { cpuCount: Number(said.cpu) }),
    ...(said?.memory === undefined ? {} : { memoryBytes: bytesOf(said.memory) }),
    ...(said?.disk === undefined ? {} : { diskBytes: bytesOf(said.disk) }),
  };
}

const UNITS = ['', 'Ki', 'Mi', 'Gi', 'Ti'];

/** `4Gi` in bytes. The shape was checked when the file was read. */
export function bytesOf(size: string): number {
  const [, number = '0', unit = ''] = /^([\d.]+)(Ki|Mi|Gi|Ti)?$/u.exec(size) ?? [];
  return Math.round(Number(number) * 1_024 ** UNITS.indexOf(unit));
}
