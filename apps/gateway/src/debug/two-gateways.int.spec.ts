import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RegisterRunnerAnswer, runStream, type DebugInput } from '@delta-ci/contracts';
import { eventually } from '../../../../test/support/infra/index.ts';
import { ATTEMPT } from '../../../../test/support/made-up/one-job-run.ts';
import { json, REGISTRATION_TOKEN, testGateway, type TestGateway } from '../gateway.fixture.ts';
import { leasedTo, PROPOSED, RUN_ID, untilQueued } from '../run-story.fixture.ts';
import { readEvents } from '../server-sent-events.fixture.ts';

const LEASE_ID = '7'.repeat(64);
const REGISTRATION = {
  name: 'runner-1',
  pool: 'default',
  capabilities: { os: 'linux', arch: 'x64', isolation: ['sandbox'], toolchains: [], labels: [] },
  version: '1.0.0',
};
const TERMS = { attempt: 1, by: 'admin', reason: 'it fails at night', heldMs: 900_000 };
const OPENED = { ...ATTEMPT, fence: 1, by: TERMS.by, logOffset: 0, untilMs: 4_000_000_000_000 };

/** The operator is at one gateway, and the runner at whichever it finds. */
describe('a shell between two gateways', () => {
  let here: TestGateway;
  let there: Pick<TestGateway, 'call' | 'stop'>;
  let token = '';

  beforeAll(async () => {
    here = await testGateway();
    there = await here.twin();
    await here.answer({
      'register-runner': async ({ data: { runnerId } }) =>
        Promise.resolve({ ok: true, result: { runnerId }, position: 1 }),
    });
    const registered = await here.call('/runner/v1/runners', { ...json(REGISTRATION), token: REGISTRATION_TOKEN });
    const runner = RegisterRunnerAnswer.parse(await registered.json());
    token = runner.token;
    const rerun = { of: RUN_ID, only: 'all' as const, planDigest: PROPOSED.digest, jobs: ['unit'], debug: TERMS };
    const story = [...untilQueued(RUN_ID), ...leasedTo(LEASE_ID, runner.runnerId)];
    const begun = await here.append(
      runStream(RUN_ID),
      [
        ...story.map((event) => (event.type === 'run.created' ? { ...event, data: { ...event.data, rerun } } : event)),
        { type: 'debug.opened', data: { ...OPENED, runnerId: runner.runnerId } },
      ],
      [PROPOSED],
    );
    if (!begun.ok) throw new Error(begun.refusal.message);
  });
  afterAll(async () => here.end());

  const listenAt = async ({ call }: Pick<TestGateway, 'call'>): Promise<Response> => {
    const answer = await call(`/runner/v1/leases/${LEASE_ID}/debug/input`, { token });
    expect(answer.status).toBe(200);
    return answer;
  };
  const typeAt = async ({ call }: Pick<TestGateway, 'call'>, sequence: number): Promise<number> => {
    const input: DebugInput = { sequence, input: { kind: 'keys', bytes: 'eA==' } };
    return (await call(`/api/v1/runs/${RUN_ID}/debug/input`, { ...json(input), token: here.adminToken })).status;
  };
  const idsOf = async (answer: Response, count: number): Promise<string[]> =>
    (await readEvents(answer, (seen) => seen.length >= count)).map(({ id }) => id);

  it('given a runner at the other gateway, then what is typed here gets there; and when that one ends, it is not taken before the runner listens again', async () => {
    const first = await listenAt(there);
    await eventually('the key is taken', async () => (await typeAt(here, 1)) === 202);
    expect(await idsOf(first, 1)).toEqual(['1']);
    await there.stop();
    expect(await typeAt(here, 2)).toBe(503);
    const second = await listenAt(here);
    await eventually('the same key is taken', async () => (await typeAt(here, 2)) === 202);
    expect(await idsOf(second, 1)).toEqual(['2']);
  });
});
