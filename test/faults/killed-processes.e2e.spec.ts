import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunView } from '@delta-ci/contracts';
import { SERVICE_NAMES, type ServiceName } from '../../tools/mesh/service-table.ts';
import { eventually } from '../support/infra/index.ts';
import { configWith, startTestMesh, type HeldJob, type PushedChange, type TestMesh } from '../support/mesh/index.ts';

const PLAIN = 'demo/plain';
/** A run through a kill: several lost leases in a row at worst. */
const LIMIT_MS = 120_000;

describe('a process that is killed in the middle of a run', () => {
  let system: TestMesh;

  beforeAll(async () => {
    system = await startTestMesh({ repositories: [PLAIN] });
  }, LIMIT_MS);

  afterAll(async () => {
    await system.finish();
  }, LIMIT_MS);

  it.each(SERVICE_NAMES)(
    'given a running job, when %s is killed and the job ends meanwhile, then the run succeeds and is reported',
    async (name) => {
      const { change, held } = await changeWithHeldJob(system, `${name}-dies`);
      await system.jobRuns(change.runId, 'slow');
      await killed(system, name);
      held.release();
      await isBack(system, name);
      await succeeds(system, change);
    },
    LIMIT_MS,
  );

  it(
    'given a run without a plan, when the planner is killed over it, then it is planned all the same',
    async () => {
      const { change, held } = await changeWithHeldJob(system, 'planner-dies-planning');
      await killed(system, 'planner');
      held.release();
      await succeeds(system, change);
    },
    LIMIT_MS,
  );

  it(
    'given a job about to fail, when the failure analyzer is killed, then the failure is explained all the same',
    async () => {
      const held = system.hold('analyzer-dies-analyzing');
      const jobs = { failing: { steps: [...held.steps, 'echo "expected 1, received 2"; exit 3'] } };
      const { runId, commit } = await system.change(PLAIN, 'to fail', { 'delta.yaml': configWith(jobs) }, 'failing');
      await system.jobRuns(runId, 'failing');
      await killed(system, 'failure-analyzer');
      held.release();
      const view = await system.settled(runId);
      expect(view.outcome).toBe('failed');
      expect(view.jobs[0]?.attempts.at(-1)?.explanation?.headline).not.toBe('');
      expect(system.gate(PLAIN, commit.after)).toMatchObject({ status: 'completed', conclusion: 'failure' });
    },
    LIMIT_MS,
  );

  it(
    'given a running job, when its runner is killed, then the attempt counts as lost and another one succeeds',
    async () => {
      const { change, held } = await changeWithHeldJob(system, 'runner-dies');
      await system.jobRuns(change.runId, 'slow');
      process.kill((await system.runnerOf(change.runId, 'slow')).pid, 'SIGKILL');
      held.release();
      const view = await succeeds(system, change);
      const attempts = view.jobs.find(({ key }) => key === 'slow')?.attempts;
      expect(attempts?.map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded']);
    },
    LIMIT_MS,
  );

  it(
    'given a running job, when every service is killed at once, then the run succeeds and is reported',
    async () => {
      const { change, held } = await changeWithHeldJob(system, 'all-die');
      await system.jobRuns(change.runId, 'slow');
      await Promise.all(SERVICE_NAMES.map(async (name) => killed(system, name)));
      held.release();
      await succeeds(system, change);
    },
    LIMIT_MS,
  );
});

/** Two jobs in a row: the first runs until it is released, the second shows that the system still starts work. */
async function changeWithHeldJob(system: TestMesh, name: string): Promise<{ change: PushedChange; held: HeldJob }> {
  const held = system.hold(name);
  const config = configWith({
    slow: { steps: [...held.steps] },
    after: { needs: ['slow'], steps: ['echo "the work goes on"'] },
  });
  return { change: await system.change(PLAIN, name, { 'delta.yaml': config }, name), held };
}

async function killed(system: TestMesh, name: ServiceName): Promise<void> {
  await system.mesh.service(name).crash('SIGKILL');
}

async function isBack(system: TestMesh, name: ServiceName): Promise<void> {
  const service = system.mesh.service(name);
  await eventually(`the supervisor brings ${name} back`, () => service.crashes > 0 && service.state === 'ready');
}

async function succeeds(system: TestMesh, { runId, commit }: PushedChange): Promise<RunView> {
  const view = await system.settled(runId);
  expect(view).toMatchObject({ outcome: 'succeeded', reported: true });
  expect(Object.fromEntries(view.jobs.map(({ key, outcome }) => [key, outcome]))).toEqual({
    slow: 'succeeded',
    after: 'succeeded',
  });
  expect(system.gate(PLAIN, commit.after)).toMatchObject({ status: 'completed', conclusion: 'success' });
  return view;
}
