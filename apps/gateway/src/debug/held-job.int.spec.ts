import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  debugHeardSubject,
  debugInputSubject,
  RegisterRunnerAnswer,
  runStream,
  type DebugInput,
} from '@delta-ci/contracts';
import { eventually } from '../../../../test/support/infra/index.ts';
import { ATTEMPT, finished } from '../../../../test/support/made-up/one-job-run.ts';
import { json, REGISTRATION_TOKEN, testGateway, type TestGateway } from '../gateway.fixture.ts';
import { aRunAtWork } from '../run-story.fixture.ts';
import { readEvents } from '../server-sent-events.fixture.ts';
import { TAKEN_HEADER } from './debug-controller.ts';

const registration = {
  name: 'runner-1',
  pool: 'default',
  capabilities: { os: 'linux', arch: 'x64', isolation: ['sandbox'], toolchains: [], labels: [] },
  version: '1.0.0',
};
const OPENED = { ...ATTEMPT, fence: 1, by: 'olga', logOffset: 0, untilMs: 4_000_000_000_000 };

/** A runner listens to what is typed into a shell, at a real gateway on a real bus. */
describe('the stream of what is typed into a shell', () => {
  let gateway: TestGateway;
  let runs = 0;
  const open = new AbortController();

  beforeAll(async () => {
    // One stream for people, and that is taken.
    gateway = await testGateway({ DELTA_STREAMS_MAX: '1' });
    await gateway.answer({
      'register-runner': async ({ data: { runnerId } }) =>
        Promise.resolve({ ok: true, result: { runnerId }, position: 1 }),
    });
  });
  afterAll(async () => {
    open.abort();
    await gateway.end();
  });

  interface Held extends RegisterRunnerAnswer {
    readonly runId: string;
    readonly leaseId: string;
  }

  /** A run at work, at a runner of its own. */
  async function aRun(): Promise<Held> {
    const answer = await gateway.call('/runner/v1/runners', { ...json(registration), token: REGISTRATION_TOKEN });
    const runner = RegisterRunnerAnswer.parse(await answer.json());
    runs += 1;
    const [runId, leaseId] = [`run_${String(runs).repeat(32)}`, String(runs).repeat(64)];
    await aRunAtWork(gateway, leaseId, runner.runnerId, runId);
    return { ...runner, runId, leaseId };
  }

  async function aShell(): Promise<Held> {
    const run = await aRun();
    const { runId, runnerId } = run;
    await gateway.append(runStream(runId), [{ type: 'debug.opened', data: { ...OPENED, runnerId } }]);
    return run;
  }

  const follow = async ({ leaseId, token }: Held): Promise<Response> =>
    gateway.call(`/runner/v1/leases/${leaseId}/debug/input`, { token, signal: open.signal });

  /** Whether a runner took it, by whichever stream. */
  async function type(runId: string, sequence: number): Promise<boolean> {
    const input: DebugInput = { sequence, input: { kind: 'keys', bytes: 'eA==' } };
    const body = new TextEncoder().encode(JSON.stringify(input));
    const asked = await gateway.bus.request({ subject: debugInputSubject(runId), headers: {}, body }, 5_000);
    return asked.outcome === 'answered' && asked.message.headers[TAKEN_HEADER] === 'yes';
  }

  const ids = async (response: Response, count: number): Promise<string[]> =>
    (await readEvents(response, (seen) => seen.length >= count)).map(({ id }) => id);

  it('given a lease under which nobody has a shell, then there is none', async () => {
    const answer = await follow(await aRun());
    expect([answer.status, await answer.json()]).toMatchObject([403, { error: { code: 'forbidden' } }]);
  });

  it('given a shell, then keys come by it; and it takes no place of those who follow runs', async () => {
    const held = await aShell();
    const { runId } = held;
    const answer = await follow(held);
    expect(answer.status).toBe(200);
    const person = { token: gateway.adminToken, signal: open.signal };
    expect((await gateway.call('/api/v1/events', person)).status).toBe(200);
    await eventually('the key is taken', async () => type(runId, 7));
    expect(await ids(answer, 1)).toEqual(['7']);
  });

  it('given a newer stream of the same shell, then the older ends, and keys come by the newer', async () => {
    const held = await aShell();
    const { runId } = held;
    const older = await follow(held);
    await eventually('the key is taken', async () => type(runId, 1));
    const newer = await follow(held);
    expect(await ids(older, 2)).toEqual(['1']);
    await eventually('the key is taken', async () => type(runId, 2));
    expect(await ids(newer, 1)).toEqual(['2']);
  });

  it('given a newer stream at another gateway, then the one here ends', async () => {
    const held = await aShell();
    const { runId } = held;
    const answer = await follow(held);
    await eventually('the key is taken', async () => type(runId, 1));
    const body = new TextEncoder().encode('another');
    gateway.bus.announce({ subject: debugHeardSubject(runId), headers: {}, body });
    expect(await ids(answer, 2)).toEqual(['1']);
  });

  it('given a lease that ends, then the stream does, though nobody types; and there is no other', async () => {
    const held = await aShell();
    const { runId } = held;
    const answer = await follow(held);
    await gateway.append(runStream(runId), finished('failed'));
    expect(await ids(answer, 1)).toEqual([]);
    expect((await follow(held)).status).toBe(409);
  });
});
