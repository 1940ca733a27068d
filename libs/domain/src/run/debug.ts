import { isShadow, refuse, type DomainEventOf, type JobKey, type Refusal, type RunId } from '@delta-ci/contracts';
import { workOf, type RunAggregate } from './aggregate.ts';
import { ACCEPTED, refuseTransition, type Refused, type Unfolding } from './decision.ts';
import { attemptsOf, type Attempt } from './job-progress.ts';
import { jobAt } from './job-table.ts';
import { refuseStale, standingOf } from './lease-standing.ts';
import { placeOf, plannedAt } from './plan-shape.ts';
import type { RunCommandOf } from './run-command.ts';

/** Somebody looks into an attempt that failed: by a run of its own, which counts for nothing and never has secrets. */

/** Who wants to look into which attempt, why and for how long. */
export interface DebugWish {
  readonly newRunId: RunId;
  readonly jobKey: JobKey;
  /** Null for the latest. */
  readonly attempt: number | null;
  readonly by: string;
  readonly reason: string;
  readonly heldMs: number;
}

export type DebugDecision =
  | { readonly ok: true; readonly data: DomainEventOf<'run.created'>['data'] }
  | { readonly ok: false; readonly refusal: Refusal };

/** What the run starts from in which an attempt of `run` is looked into. The run itself is not touched, and may go on. */
export function decideDebug(run: RunAggregate, wish: DebugWish): DebugDecision {
  const work = workOf(run);
  const place = work === null ? null : placeOf(work, wish.jobKey);
  if (run.state === 'absent' || work === null || place === null) {
    return refused('not_found', run.state === 'absent' ? 'there is no such run' : `it runs no job ${wish.jobKey}`);
  }
  const attempts = attemptsOf(jobAt(work.jobs, place));
  const attempt = wish.attempt === null ? attempts.at(-1) : attempts.find(({ number }) => number === wish.attempt);
  if (attempt === undefined) return refused('not_found', `job ${wish.jobKey} has no such attempt`);
  const why = whyNotInto(attempt);
  if (why !== null) return refused('not_rerunnable', why);
  if (run.facts.rerun?.debug !== undefined) {
    return refused('not_rerunnable', `this run is for debugging itself: debug the attempt of ${run.facts.rerun.of}`);
  }
  if (isShadow(plannedAt(work, place).policy)) return refused('not_rerunnable', 'a sample is not looked into');
  const { repository, change, policy, runId } = run.facts;
  const { newRunId, jobKey, by, reason, heldMs } = wish;
  const debug = { attempt: attempt.number, by, reason, heldMs };
  return {
    ok: true,
    data: {
      runId: newRunId,
      repository,
      change: { ...change, kind: 'rerun' },
      // It takes nobody's place, and nobody takes its.
      policy: { ...policy, cancelSuperseded: false },
      rerun: { of: runId, only: 'all', planDigest: work.planDigest, jobs: [jobKey], debug },
    },
  };
}

/**
 * A shell stands in the sandbox of a step that failed. Where secrets ever went with the lease there is none, whatever was planned:
 * whoever has the shell has them.
 */
export function openDebug(unfolding: Unfolding, command: RunCommandOf<'open-debug'>): Refused {
  const standing = standingOf(unfolding.run, command.leaseHash, command.runnerId);
  if (standing.kind !== 'held') return refuseStale(unfolding, standing, command.type, command.runnerId);
  const { run, nowMs } = unfolding;
  const { attempt, place } = standing;
  const debug = run.state === 'absent' ? undefined : run.facts.rerun?.debug;
  if (debug === undefined) return refuse('forbidden', 'nobody asked to look into this job');
  if (attempt.state !== 'starting' && attempt.state !== 'running') {
    return refuseTransition('an attempt', attempt.state, command.type);
  }
  if (attempt.lease.handedOut) return refuse('forbidden', 'this lease has handed out secrets: nobody gets a shell');
  if (attempt.lease.debugOpened) return ACCEPTED;
  const { fence, runnerId } = attempt.lease;
  const jobKey = plannedAt(unfolding.work, place).key;
  const untilMs = Math.min(nowMs + debug.heldMs, attempt.jobDeadlineAtMs);
  const { logOffset } = command;
  const data = { jobKey, attempt: attempt.number, fence, runnerId, by: debug.by, logOffset, untilMs };
  unfolding.record({ type: 'debug.opened', data });
  return ACCEPTED;
}

function whyNotInto(attempt: Attempt): string | null {
  if (attempt.state !== 'finished') return `attempt ${attempt.number} has not finished: wait for it`;
  if (attempt.outcome === 'failed' || attempt.outcome === 'timed_out') return null;
  return `attempt ${attempt.number} did not fail: ${attempt.outcome}`;
}

function refused(code: 'not_found' | 'not_rerunnable', message: string): DebugDecision {
  return { ok: false, refusal: refuse(code, message) };
}
