import { refuse } from '@delta-ci/contracts';
import { workOf } from './aggregate.ts';
import { ACCEPTED, refuseTransition, type Refused, type Unfolding } from './decision.ts';
import { planShapeProblem } from './plan-shape.ts';
import type { RunCommandOf } from './run-command.ts';
import { settleRun } from './settle.ts';

/** A run begins, and gets its plan or the reason why there is none. */

export function createRun(unfolding: Unfolding, { data }: RunCommandOf<'create-run'>): Refused {
  if (unfolding.run.state !== 'absent') return refuse('conflicting_repeat', `run ${data.runId} exists already`);
  unfolding.record({ type: 'run.created', data });
  const deadlineAtMs = unfolding.nowMs + data.policy.planningTimeoutMs;
  unfolding.record({ type: 'run.planning-started', data: { deadlineAtMs } });
  return ACCEPTED;
}

/** The plan of this run; the same plan again is a repeat, another one comes too late. */
export function recordPlan(unfolding: Unfolding, command: RunCommandOf<'record-plan'>): Refused {
  const { run } = unfolding;
  if (run.state !== 'planning') {
    if (workOf(run)?.planDigest === command.planDigest) return ACCEPTED;
    return refuseTransition('a run', run.state, command.type);
  }
  const problem = planShapeProblem(command.jobs);
  if (problem !== null) return refuse('invalid_request', `the plan cannot be carried out: ${problem}`);
  const { planDigest, policy, jobs, summary, inputsDigest } = command;
  const deadlineAtMs = unfolding.nowMs + policy.runTimeoutMs;
  unfolding.record({
    type: 'run.planned',
    data: { planDigest, policy, jobs, summary, deadlineAtMs, inputsDigest },
  });
  for (const job of jobs) {
    if (job.needs.length === 0) unfolding.record({ type: 'job.readied', data: { jobKey: job.key } });
  }
  settleRun(unfolding);
  return ACCEPTED;
}

export function recordPlanningFailure(unfolding: Unfolding, command: RunCommandOf<'record-planning-failure'>): Refused {
  if (unfolding.run.state !== 'planning') return refuseTransition('a run', unfolding.run.state, command.type);
  const { code, message, inputsDigest } = command;
  unfolding.record({ type: 'run.planning-failed', data: { code, message, inputsDigest } });
  unfolding.record({ type: 'run.finished', data: { outcome: 'failed', reason: `planning failed: ${code}` } });
  return ACCEPTED;
}
