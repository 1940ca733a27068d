import { DEFAULT_RUN_POLICY, type Change, type RunPolicy } from '@delta-ci/contracts';

/**
 * How a run of this change is governed before its plan is known: the repository's stored policy over the
 * installation's defaults. Only the newest head of a pull request is worth the machines unless somebody says otherwise;
 * every push to a branch keeps its own verdict.
 */
export function runPolicyFor(
  change: Pick<Change, 'kind'>,
  stored: Partial<RunPolicy>,
  defaults: RunPolicy = DEFAULT_RUN_POLICY,
): RunPolicy {
  const cancelSuperseded = defaults.cancelSuperseded || change.kind === 'pull_request';
  return { ...defaults, cancelSuperseded, ...stored };
}
