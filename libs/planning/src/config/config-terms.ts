import type { ConfigFile, RunPolicy } from '@delta-ci/contracts';
import { termsOf, type JobTerms } from '../construction/job-terms.ts';
import type { PlanningInputs } from '../model.ts';
import { limitsOf } from './config-limits.ts';
import { grantOf, limitsWithin } from './granted.ts';

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

/** Terms of jobs as the configuration file and the trust in the change have them. */
export function termsFor(inputs: PlanningInputs, config: ConfigFile | null): JobTerms {
  const { rules, change, head } = inputs;
  return termsOf({
    rules,
    trust: change.trust,
    limits: limitsWithin(limitsOf(config, rules), grantOf(inputs)),
    entries: head.entries,
    egress: config?.egress?.allow,
  });
}
