import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '@delta-ci/artifact-store';
import { connectBus, ReportClient, type Bus } from '@delta-ci/bus';
import { canonicalJson } from '@delta-ci/contracts';
import { QUICK, startTestMesh, type TestMesh } from '../../test/support/mesh/index.ts';
import { NO_OP_CHANGE, NO_OP_REPOSITORY, noOpPlan } from '../../test/support/protocol-runner/no-op-plan.ts';
import { BROKEN_GATEWAYS } from './broken-gateways.ts';
import { checkGateway, GATEWAY_IDS } from './gateway/check-gateway.ts';
import type { GatewayAddress } from './gateway/bench.ts';
import type { GatewayRequirement } from './gateway/requirements.ts';
import { LyingProxy } from './lying-proxy.fixture.ts';
import { verdictsText } from './verdicts-text.ts';

const LIMIT_MS = 180_000;
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** Short enough to wait for, and long enough for a machine that is busy with other tests. */
const TIMES = { leaseAcceptanceMs: 6_000, leaseTtlMs: 8_000, heartbeatMs: 500 };

describe('our own gateway', () => {
  let system: TestMesh;
  let bus: Bus;

  beforeAll(async () => {
    system = await startTestMesh({
      repositories: [NO_OP_REPOSITORY.fullName],
      services: ['orchestrator', 'gateway'],
      env: { ...QUICK, DELTA_LEASE_TTL_MS: String(TIMES.leaseTtlMs), DELTA_DISPATCH_VISIBILITY_MS: '9000' },
    });
    bus = await connectBus({ servers: [system.nats.url], name: 'test', log: SILENT });
  }, LIMIT_MS);
  afterAll(async () => {
    await bus?.close();
    await system.stop();
  }, LIMIT_MS);

  /** A run of one job, as if a planner had planned it. */
  const makeJob = async (): Promise<void> => {
    const { id: repository } = NO_OP_REPOSITORY;
    const runId = await system.api.createRun({ repository, ref: NO_OP_CHANGE.ref, head: NO_OP_CHANGE.head });
    const plan = noOpPlan(1, TIMES);
    const sent = await new ReportClient(bus).send(
      'planner.plan-proposed',
      { runId, digest: digestOf(canonicalJson(plan)), plan, inputsDigest: null },
      { id: `plan-${runId}`, causation: runId, traceparent: null },
    );
    if (!sent.sent) throw new Error(sent.refusal.message);
  };

  const check = async (url: string, only: readonly GatewayRequirement[], over: Partial<GatewayAddress> = {}) =>
    checkGateway({
      url,
      token: system.mesh.registrationToken,
      pool: 'default',
      patienceMs: 60_000,
      makeJob,
      cancelRun: async (runId) => system.api.cancel(runId, 'the kit wants to see it'),
      only,
      signal: new AbortController().signal,
      onCheck: () => undefined,
      ...over,
    });

  it(
    'given every conversation of the kit, then every requirement is seen to hold',
    async () => {
      const verdicts = await check(system.mesh.gatewayUrl, []);
      const unseen = verdicts.filter(({ outcome }) => outcome !== 'passed');
      expect(unseen.length === 0 ? '' : verdictsText(unseen)).toBe('');
      expect(verdicts).toHaveLength(GATEWAY_IDS.length);
    },
    LIMIT_MS,
  );

  it.each(BROKEN_GATEWAYS)(
    'given $mistake, then $caught fails, and says what was seen',
    async ({ caught, tamper }) => {
      const proxy = await LyingProxy.before(system.mesh.gatewayUrl, tamper);
      try {
        const [verdict] = await check(proxy.url, [caught], { patienceMs: 12_000 });
        expect([verdict?.outcome, verdict?.seen]).toEqual(['failed', expect.stringMatching(/./)]);
      } finally {
        await proxy.close();
      }
    },
    LIMIT_MS,
  );

  it('given nobody who makes jobs, then what takes one is skipped, and says why', async () => {
    const only = { makeJob: null, cancelRun: null, pool: 'default', patienceMs: 2_500 };
    const verdicts = await check(system.mesh.gatewayUrl, ['asks-to-cancel'], only);
    expect(verdicts).toMatchObject([{ outcome: 'skipped', seen: expect.stringContaining('--cancel-run') }]);
  });
});
