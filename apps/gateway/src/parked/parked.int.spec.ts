import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { topology } from '@delta-ci/bus';
import { parkedSubject, refuse, type Command, type ParkedPageView } from '@delta-ci/contracts';
import { json, testGateway, type TestGateway } from '../gateway.fixture.ts';

const PARKED = [1, 2, 3];

describe('parked messages over HTTP', () => {
  let gateway: TestGateway;
  const taken: Command<'settle-parked'>[] = [];

  beforeAll(async () => {
    gateway = await testGateway();
    await gateway.answer({
      'settle-parked': async (command) => {
        taken.push(command);
        const { sequence, action } = command.data;
        if (PARKED.includes(sequence)) return { ok: true, result: { sequence, action }, position: 1 };
        return { ok: false, refusal: refuse('not_found', `no message is parked under ${sequence}`) };
      },
    });
  });
  afterAll(async () => gateway.end());

  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await gateway.call(`/api/v1/parked${path}`, { ...init, token: gateway.adminToken });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('given a bus without streams, when they are listed, then that is unavailable and not an empty list', async () => {
    expect(await ask('')).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
  });

  it('given three, when listed by pages of two, then each comes once, with where it came from and what it was', async () => {
    await gateway.bus.provision(topology({ pools: ['default'] }));
    for (const number of PARKED)
      await gateway.bus.store({
        subject: parkedSubject('REPORTS', 'orchestrator'),
        headers: {
          'Delta-Parked-Stream': 'REPORTS',
          'Delta-Parked-Consumer': 'orchestrator',
          'Delta-Parked-Subject': 'delta.reports.planner.plan-proposed.x',
          'Delta-Parked-Reason': `reason ${number}`,
          'Delta-Parked-Deliveries': '8',
        },
        body: Buffer.from(`poison ${number} ${'x'.repeat(3_000)}`),
      });
    const first = (await ask('?limit=2')).body as ParkedPageView;
    const second = (await ask(`?limit=2&from=${first.nextSequence}`)).body as ParkedPageView;
    const all = [...first.messages, ...second.messages];
    expect(all.map(({ sequence, reason }) => [sequence, reason])).toEqual(PARKED.map((n) => [n, `reason ${n}`]));
    expect(all[0]).toMatchObject({ stream: 'REPORTS', consumer: 'orchestrator', deliveries: 8, sizeBytes: 3_009 });
    expect(all[0]?.text).toMatch(/^poison 1 x+$/u);
    expect(all[0]?.text).toHaveLength(2_000);
    expect(second.nextSequence).toBeNull();
  });

  it('when one is retried or dropped, then the orchestrator is asked, with who wants it and why', async () => {
    expect(await ask('/2/retry', json({ reason: 'mended' }))).toEqual({
      status: 200,
      body: { sequence: 2, action: 'retry' },
    });
    expect(taken.at(-1)).toMatchObject({
      actor: { kind: 'operator', name: 'admin' },
      data: { sequence: 2, action: 'retry', reason: 'mended' },
    });
    expect(await ask('/2/drop', { method: 'POST' })).toMatchObject({ status: 200, body: { action: 'drop' } });
    expect(taken.at(-1)?.data).toEqual({ sequence: 2, action: 'drop', reason: '' });
  });

  it.each([
    ['one that is gone', '/9/drop', {}, 404, 'not_found'],
    ['a sequence that is none', '/0/retry', {}, 400, 'invalid_request'],
    ['words for a sequence', '/first/retry', {}, 400, 'invalid_request'],
    ['an unknown field', '/1/retry', { colour: 'red' }, 400, 'invalid_request'],
    ['a reason without end', '/1/drop', { reason: 'x'.repeat(501) }, 400, 'invalid_request'],
  ])('given %s, then it is refused by name', async (_what, path, body, status, code) => {
    expect(await ask(path, json(body))).toMatchObject({ status, body: { error: { code } } });
  });
});
