import { runStream, type DomainEvent } from '@delta-ci/contracts';
import { leaseHashOf } from '@delta-ci/service';
import { ATTEMPT, created, leased, oneJobPlan, planned } from '../../../test/support/made-up/one-job-run.ts';
import { because } from '../../../test/support/made-up/planned-job.ts';
import { aRepository } from '../../../test/support/made-up/repository.ts';
import { CLONE_URL, type TestGateway } from './gateway.fixture.ts';

/** The run of one job in the gateway's own repository, from its creation to a runner that works on it. */

export const RUN_ID = `run_${'1'.repeat(32)}`;

export const PROPOSED = oneJobPlan({
  repository: aRepository({ cloneUrl: CLONE_URL }),
  units: [
    {
      id: 'packages/cart',
      root: 'packages/cart',
      ecosystem: 'node',
      affected: true,
      explanation: because('run', 'packages/cart changed'),
    },
  ],
});

/** From creation until the attempt waits for a runner. */
export const untilQueued = (runId: string): DomainEvent[] => [
  ...created(runId, PROPOSED.plan.repository, PROPOSED.plan.change),
  ...planned(PROPOSED),
];

/** A runner has taken the attempt. */
export const leasedTo = (leaseId: string, runnerId: string): DomainEvent[] =>
  leased({ leaseHash: leaseHashOf(leaseId), runnerId });

export const recordedArtifact = (name: string, of: string, sizeBytes: number): DomainEvent => ({
  type: 'artifact.recorded',
  data: { ...ATTEMPT, artifact: { name, type: 'file', digest: of, sizeBytes, retentionDays: 7 } },
});

/** Appends the whole story up to a runner at work. */
export async function aRunAtWork(
  gateway: TestGateway,
  leaseId: string,
  runnerId: string,
  runId = RUN_ID,
): Promise<void> {
  await gateway.append(runStream(runId), [...untilQueued(runId), ...leasedTo(leaseId, runnerId)], [PROPOSED]);
}
