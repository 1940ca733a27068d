import {
  refuse,
  runStream,
  type CommandAnswer,
  type DispatchMessage,
  type GrantedLease,
  type Refusal,
} from '@delta-ci/contracts';
import { decideRun, type RunAggregate } from '@delta-ci/domain';
import type { Submission } from '@delta-ci/event-log';
import type { GrantOutcome, WaitingRunner } from '../leases/pool-desk.ts';

/** Whom a lease is granted to, and by which request. */
export type Grantee = Pick<WaitingRunner, 'commandId' | 'actor' | 'leaseHash' | 'runnerId'>;
/** Which attempt is granted. */
export type GrantedWork = Pick<DispatchMessage, 'runId' | 'jobKey' | 'attempt' | 'traceparent'>;

/**
 * Gives a queued attempt to a runner, unless the log says that it does not wait any more. The very lease it was given
 * before is given again: an answer that got lost on its way is not a lost lease.
 */
export function grantSubmission(runner: Grantee, work: GrantedWork): Submission {
  const { runId, jobKey, attempt, traceparent } = work;
  const { commandId, actor, leaseHash, runnerId } = runner;
  return {
    // One request may be offered several attempts before one of them still waits.
    id: `${commandId}.${runId}.${jobKey}.${attempt}`,
    actor,
    causation: commandId,
    traceparent,
    runs: [runId],
    refuseClash,
    decide: (view) => {
      const run = view.run(runId);
      const command = { type: 'grant-lease' as const, jobKey, attempt, leaseHash, runnerId };
      const decision = decideRun(command, run, { nowMs: view.nowMs });
      const appends = decision.events.length === 0 ? [] : [{ stream: runStream(runId), events: decision.events }];
      if (decision.kind === 'refused')
        return { appends, answer: { ok: false, refusal: decision.refusal }, remember: false };
      return { appends, answer: { ok: true, result: { lease: grantedLease(run, work) } } };
    },
  };
}

/**
 * What the answer to a grant means for the runner and the work. A runner that may not have it says nothing about the
 * work, which still waits for another.
 * @throws when it is not known whether the grant is in the log
 */
export function grantOutcome(answer: CommandAnswer): GrantOutcome {
  if (answer.ok) return { kind: 'granted', lease: (answer.result as { lease: GrantedLease }).lease };
  const { refusal } = answer;
  if (refusal.code === 'unavailable' || refusal.code === 'internal') throw new Error(refusal.message);
  const ofRunner = refusal.code === 'conflicting_repeat' || refusal.details['reason'] === RUNNER_BUSY;
  return ofRunner ? { kind: 'refused', refusal } : { kind: 'gone' };
}

/** As the run itself says it of a lease of its own. */
const RUNNER_BUSY = 'runner_busy';

/** Two requests of one runner that meet, at two orchestrators maybe: the tables know of each other's leases, runs do not. */
function refuseClash(index: string): Refusal | null {
  switch (index) {
    case 'lease_one_live_per_runner':
      return refuse('invalid_transition', 'the runner holds a lease of another run', { reason: RUNNER_BUSY });
    case 'lease_hash_unique':
      return refuse('conflicting_repeat', 'this lease was granted before, for something else');
    default:
      return null;
  }
}

function grantedLease(run: RunAggregate, { runId, jobKey, attempt, traceparent }: GrantedWork): GrantedLease {
  if (run.state !== 'queued' && run.state !== 'running')
    throw new Error(`a lease was granted in a run that is ${run.state}`);
  const { policy } = run.facts;
  const place = run.work.indexOf[jobKey];
  const planned = place === undefined ? undefined : run.work.planned[place];
  if (planned === undefined) throw new Error(`a lease was granted for ${jobKey}, which is not in the plan`);
  return {
    runId,
    jobKey,
    attempt,
    fence: attempt,
    planDigest: run.work.planDigest,
    ttlMs: policy.leaseTtlMs,
    heartbeatMs: policy.heartbeatMs,
    acceptanceMs: policy.leaseAcceptanceMs,
    maxRuntimeMs: planned.policy.timeoutMs,
    traceparent,
  };
}
