import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/infra/index.ts';
import { configWith, startTestMesh, type HeldJob, type PushedChange, type TestMesh } from '../support/mesh/index.ts';

const PLAIN = 'demo/plain';
/** A run through an outage: several lost leases in a row at worst. */
const LIMIT_MS = 120_000;

describe('a server that is killed in the middle of a run', () => {
  let system: TestMesh;

  beforeAll(async () => {
    system = await startTestMesh({ repositories: [PLAIN], ownPostgres: true });
  }, LIMIT_MS);

  afterAll(async () => {
    await system.finish();
  }, LIMIT_MS);

  it(
    'given a running job, when nats-server is killed and started again, then the run succeeds and is reported',
    async () => {
      const { change, held } = await runningChange(system, 'nats-dies');
      await system.nats.kill();
      held.release();
      await system.nats.start();
      await succeeds(system, change);
    },
    LIMIT_MS,
  );

  it(
    'given a running job, when nats-server loses everything it stored, then the log heals it and the run succeeds',
    async () => {
      const { change, held } = await runningChange(system, 'nats-forgets');
      await system.nats.kill();
      await system.nats.wipeStore();
      held.release();
      await system.nats.start();
      await succeeds(system, change);
    },
    LIMIT_MS,
  );

  it(
    'given a running job, when Postgres is killed and started again, then the run succeeds and is reported',
    async () => {
      const { change, held } = await runningChange(system, 'postgres-dies');
      await system.postgres?.kill();
      held.release();
      await eventually('the gateway says that it is not ready', async () => !(await isReady(system)));
      await system.postgres?.start();
      await succeeds(system, change);
      expect(await isReady(system)).toBe(true);
    },
    LIMIT_MS,
  );
});

async function runningChange(system: TestMesh, name: string): Promise<{ change: PushedChange; held: HeldJob }> {
  const held = system.hold(name);
  const config = configWith({
    slow: { steps: [...held.steps] },
    after: { needs: ['slow'], steps: ['echo "the work goes on"'] },
  });
  const change = await system.change(PLAIN, name, { 'delta.yaml': config }, name);
  await system.jobRuns(change.runId, 'slow');
  return { change, held };
}

async function isReady({ mesh }: TestMesh): Promise<boolean> {
  return (await fetch(`${mesh.gatewayUrl}/readyz`)).ok;
}

async function succeeds(system: TestMesh, { runId, commit }: PushedChange): Promise<void> {
  const view = await system.settled(runId);
  expect(view).toMatchObject({ outcome: 'succeeded', reported: true });
  expect(Object.fromEntries(view.jobs.map(({ key, outcome }) => [key, outcome]))).toEqual({
    slow: 'succeeded',
    after: 'succeeded',
  });
  expect(system.gate(PLAIN, commit.after)).toMatchObject({ status: 'completed', conclusion: 'success' });
}
