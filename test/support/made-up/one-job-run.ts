import {
  DEFAULT_RUN_POLICY,
  type Change,
  type DomainEvent,
  type Plan,
  type ProposedPlan,
  type Repository,
} from '@delta-ci/contracts';
import { aChange } from './change.ts';
import { aReport } from './completion-report.ts';
import { aPlan, proposed } from './plan.ts';
import { aPlannedJob, because } from './planned-job.ts';

/** A run of one job that runs and one that is skipped: the events that the orchestrator would record, part by part. */

export const JOB = 'unit';
export const ATTEMPT = { jobKey: JOB, attempt: 1 };
/** Far enough from any test's end. */
const LATER_MS = 4_000_000_000_000;

const job = aPlannedJob(JOB, {
  title: 'unit tests',
  unit: 'packages/cart',
  steps: [{ name: 'test', run: 'npm test', workdir: '.' }],
  explanation: because('run', 'packages/cart changed'),
});

/** The plan of that run; its pushed change adds a cart to the shop. */
export function oneJobPlan(over: Partial<Plan> = {}): ProposedPlan {
  const explanation = because('skip', 'nothing of docs changed');
  return proposed(
    aPlan({
      change: aChange({ base: 'a'.repeat(40), title: 'add a cart' }),
      jobs: [job],
      skipped: [{ key: 'docs', title: 'docs', kind: 'build', unit: 'docs', explanation }],
      summary: 'one job of two',
      ...over,
    }),
  );
}

/** Up to the planner's turn. */
export const created = (runId: string, repository: Repository, change: Change): DomainEvent[] => [
  { type: 'run.created', data: { runId, repository, change, policy: DEFAULT_RUN_POLICY, rerun: null } },
  { type: 'run.planning-started', data: { deadlineAtMs: LATER_MS } },
];

/** From the planner's answer until the attempt waits for a runner. */
export const planned = ({ digest, plan }: ProposedPlan): DomainEvent[] => [
  {
    type: 'run.planned',
    data: {
      planDigest: digest,
      policy: DEFAULT_RUN_POLICY,
      jobs: [{ key: JOB, needs: [], policy: job.policy, requirements: job.requirements }],
      summary: plan.summary,
      deadlineAtMs: LATER_MS,
      inputsDigest: null,
    },
  },
  { type: 'job.readied', data: { jobKey: JOB } },
  {
    type: 'attempt.queued',
    data: {
      ...ATTEMPT,
      pool: job.requirements.pool,
      priority: 0,
      requirements: job.requirements,
      queueDeadlineAtMs: LATER_MS,
      retryOf: null,
    },
  },
];

/** A runner has taken the attempt. */
export const leased = (lease: { leaseHash: string; runnerId: string }): DomainEvent[] => [
  { type: 'run.started', data: {} },
  { type: 'lease.granted', data: { ...ATTEMPT, ...lease, fence: 1, expiresAtMs: LATER_MS } },
  { type: 'lease.activated', data: { ...ATTEMPT, fence: 1, jobDeadlineAtMs: LATER_MS } },
];

/** The attempt is over, and with it the job and the run. */
export function finished(outcome: 'succeeded' | 'failed' = 'succeeded'): DomainEvent[] {
  const failureClass = outcome === 'failed' ? 'user' : null;
  const reason = `it ${outcome}`;
  const report = aReport(outcome);
  return [
    { type: 'attempt.finished', data: { ...ATTEMPT, outcome, failureClass, reason, report } },
    { type: 'job.finished', data: { jobKey: JOB, outcome, reason } },
    { type: 'run.finished', data: { outcome, reason: `${JOB} ${outcome}` } },
  ];
}
