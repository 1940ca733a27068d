import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '@delta-ci/artifact-store';
import { connectBus, ReportClient, type Bus } from '@delta-ci/bus';
import { canonicalJson } from '@delta-ci/contracts';
import { startTestMesh, type TestMesh } from '../support/mesh/index.ts';
import { NO_OP_CHANGE, NO_OP_REPOSITORY, noOpPlan } from '../support/protocol-runner/no-op-plan.ts';
import { ProtocolRunner, type Completion } from '../support/protocol-runner/protocol-runner.ts';

const JOBS = 2_000;
/** Enough that leases are asked for at the same time all the time. */
const RUNNERS = 16;
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('two thousand jobs that do nothing', () => {
  let system: TestMesh;
  let bus: Bus;

  beforeAll(async () => {
    system = await startTestMesh({
      repositories: [NO_OP_REPOSITORY.fullName],
      services: ['orchestrator', 'gateway'],
      // Nothing is lost here: what is slow on a busy machine must not look lost.
      env: { DELTA_LOG_LEVEL: 'warn' },
    });
    bus = await connectBus({ servers: [system.nats.url], name: 'test', log: SILENT });
  }, 120_000);

  afterAll(async () => {
    await bus?.close();
    // Nobody reports here: the reporter is not part of this mesh.
    await system.finish({ reported: false });
  }, 60_000);

  it('given runners that ask for work all the time, when the run is planned, then each job finishes exactly once', async () => {
    const { id: repository } = NO_OP_REPOSITORY;
    const runId = await system.api.createRun({ repository, ref: NO_OP_CHANGE.ref, head: NO_OP_CHANGE.head });
    await propose(bus, runId);
    const completions = await workThrough(system);

    expect(completions.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(completions.map(({ job }) => job)).size).toBe(JOBS);
    expect(completions).toHaveLength(JOBS);
    const view = await system.runWhen('is finished', runId, ({ state }) => state === 'finished');
    expect(view.outcome).toBe('succeeded');
    const [counted] = await system.ask(
      `SELECT count(*)::int AS finished, count(DISTINCT data ->> 'jobKey')::int AS jobs,
              count(*) FILTER (WHERE data ->> 'attempt' <> '1')::int AS repeated
       FROM event_json WHERE correlation = $1 AND type = 'attempt.finished'`,
      [runId],
    );
    expect(counted).toEqual({ finished: JOBS, jobs: JOBS, repeated: 0 });
  }, 180_000);
});

async function propose(bus: Bus, runId: string): Promise<void> {
  const plan = noOpPlan(JOBS);
  const sent = await new ReportClient(bus).send(
    'planner.plan-proposed',
    { runId, digest: digestOf(canonicalJson(plan)), plan, inputsDigest: null },
    { id: `plan-${runId}`, causation: runId, traceparent: null },
  );
  if (!sent.sent) throw new Error(sent.refusal.message);
}

async function workThrough({ mesh }: TestMesh): Promise<Completion[]> {
  const { gatewayUrl, registrationToken } = mesh;
  const completions: Completion[] = [];
  const runners = await Promise.all(
    Array.from({ length: RUNNERS }, async (_, index) =>
      ProtocolRunner.register({ gatewayUrl, registrationToken, name: `no-op-${index}` }),
    ),
  );
  await Promise.all(
    runners.map(async (runner) =>
      runner.work(
        () => completions.length >= JOBS,
        (completion) => completions.push(completion),
      ),
    ),
  );
  return completions;
}
