export { BrokenInvariant } from './broken-invariant.ts';
export { isAllowed, isTerminal, nextState, statesOf, type Machine } from './machines/machine.ts';
export { RUN_MACHINE, type RunTrigger } from './machines/run-machine.ts';
export { JOB_MACHINE, type JobTrigger } from './machines/job-machine.ts';
export { ATTEMPT_MACHINE, type AttemptTrigger } from './machines/attempt-machine.ts';
export { LEASE_MACHINE, type LeaseTrigger } from './machines/lease-machine.ts';
export { initialRun, type RunAggregate, type RunFacts } from './run/aggregate.ts';
export { attemptsOf, type Attempt, type JobProgress, type Lease } from './run/job-progress.ts';
export { evolveRun } from './run/evolve.ts';
export { decideRun, stepRun } from './run/decide.ts';
export { type Decision, type DecisionContext } from './run/decision.ts';
export { nextDeadlineMs } from './run/deadlines.ts';
export { jobOf, leaseOf, type LeaseView } from './run/read-run.ts';
export { RUN_COMMAND_TYPES, type RunCommand, type RunCommandOf, type RunCommandType } from './run/run-command.ts';
export {
  decideLearned,
  decideStaled,
  type RecipeDecision,
  type RecipeDoubt,
  type RecipeProof,
} from './recipe/decide-recipe.ts';
export { classifyFailure, type Classification } from './retry/classify.ts';
export { decideRetry, type RetryDecision } from './retry/decide-retry.ts';
export { validateTimings, type TimingProblem, type Timings } from './policy/validate-timings.ts';
export {
  NO_SAMPLES,
  learnDurations,
  tellDurations,
  type DurationSamples,
  type MeasuredAttempt,
  type MeasuredStep,
} from './durations/learn-durations.ts';
export { cacheScope, type CacheScope } from './caches/cache-scope.ts';
export { runPolicyFor } from './policy/run-policy-for.ts';
export { validateCapacityPolicy, type CapacityPolicyProblem } from './scaling/capacity-policy.ts';
export { NO_CAPACITY_HISTORY } from './scaling/capacity-signals.ts';
export { decideCapacity, rememberCapacity, type CapacityDecision } from './scaling/decide-capacity.ts';
export { matchRequirements, type Match, type Mismatch } from './admission/match-requirements.ts';
export { whyItWaits, type WaitingScene } from './admission/why-it-waits.ts';
export { assignWaiting, type Admission, type WaitingAttempt, type WaitingRunner } from './admission/assign-waiting.ts';
export { FIRST_PREV_HASH, eventCanonicalText, type UnchainedEvent } from './log-chain/event-canonical-text.ts';
export { redecideRerun, redecideScaling } from './replay/redecide-others.ts';
export { redecideRun, type DecidedEvent, type Departure, type RedecidedRun } from './replay/redecide-run.ts';
export { decideDebug, type DebugDecision } from './run/debug.ts';
export { decideRerun, type RerunDecision } from './run/rerun.ts';
