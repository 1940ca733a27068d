import { DEFAULT_JOB_POLICY, type JobKind, type JobPolicy } from '@delta-ci/contracts';

/** What is decided about a job by its kind alone, and why. */
export interface KindDecision {
  /** Higher goes first, of the jobs of a run and of those that wait in a pool. */
  readonly priority: number;
  readonly reason: string;
}

const ORDINARY = 'as long as it takes; what goes before it is short';

/**
 * How jobs of each kind are governed, unless a configuration file says otherwise. What is the same for all stands in
 * `DEFAULT_JOB_POLICY`: one hour, which bounds what hangs and not what works, because every kind installs and builds before it
 * begins; one more attempt where the infrastructure failed; two more where a runner was lost; none after a timeout, which
 * would as a rule take another hour for the same end.
 */
export const KIND_DECISIONS: Readonly<Record<JobKind, KindDecision>> = {
  lint: { priority: 10, reason: 'short as a rule: a finding ends the run before its long jobs take runners' },
  typecheck: { priority: 10, reason: 'as lint: it runs nothing' },
  install: { priority: 5, reason: 'what does not install does not build either' },
  build: { priority: 5, reason: 'what does not build is not worth testing' },
  test: { priority: 0, reason: ORDINARY },
  check: { priority: 0, reason: ORDINARY },
  custom: { priority: 0, reason: 'nothing is known of it but what its configuration says' },
};

/** The highest priority that planning gives by itself. */
export const PRIORITY_MAX = Math.max(...Object.values(KIND_DECISIONS).map(({ priority }) => priority));

/** How a job of this kind is governed when nobody says otherwise. */
export function policyOfKind(kind: JobKind): JobPolicy {
  return { ...DEFAULT_JOB_POLICY, priority: KIND_DECISIONS[kind].priority };
}

/** After everything else, whatever a configuration file says: no job can have a lower one. */
const SHADOW_PRIORITY = -100;

/** How a shadow of what `by` leaves out is governed. */
export function shadowPolicy(by: readonly string[]): JobPolicy {
  const decides = { required: false, allowFailure: true, priority: SHADOW_PRIORITY };
  return { ...DEFAULT_JOB_POLICY, ...decides, leftOut: { by: [...by], as: 'shadow' } };
}
