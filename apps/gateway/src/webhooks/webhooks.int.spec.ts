import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Command } from '@delta-ci/contracts';
import { refuse } from '@delta-ci/contracts';
import { eventually } from '../../../../test/support/infra/index.ts';
import { delivery, OTHER_WEBHOOK_SECRET, pushPayload, testGateway, type TestGateway } from '../gateway.fixture.ts';

const RUN = `run_${'1'.repeat(32)}`;
const PATH = '/api/v1/webhooks/github';

describe('webhooks of GitHub', () => {
  let gateway: TestGateway;
  const taken: Command<'accept-delivery'>[] = [];

  beforeAll(async () => {
    gateway = await testGateway();
    // As the orchestrator's inbox: a repeated id gets the first answer, and other content under it is refused.
    const first = new Map<string, string>();
    await gateway.answer({
      'accept-delivery': (command) => {
        taken.push(command);
        const known = first.get(command.id);
        first.set(command.id, known ?? command.data.payloadDigest);
        if (known !== undefined && known !== command.data.payloadDigest) {
          return Promise.resolve({ ok: false, refusal: refuse('conflicting_repeat', 'used before') });
        }
        const { request } = command.data;
        const result =
          request.kind === 'run' ? { runId: RUN, ignored: null } : { runId: null, ignored: request.reason };
        return Promise.resolve({ ok: true, result, position: 1 });
      },
    });
  });
  afterAll(async () => gateway.end());

  const post = async (init: RequestInit) => {
    const response = await gateway.call(PATH, init);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const codeIn = (body: Record<string, unknown>) => (body['error'] as { code: string } | undefined)?.code;

  it('given a signed push, when delivered, then the run is answered and the command carries what was verified', async () => {
    expect(await post(delivery('push', 'd-1', pushPayload()))).toEqual({
      status: 202,
      body: { runId: RUN, ignored: null },
    });
    expect(taken.at(-1)).toMatchObject({
      id: 'delivery-github:d-1',
      actor: { kind: 'forge-user', name: 'ada' },
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-/),
      data: {
        deliveryId: 'd-1',
        event: 'push',
        request: { kind: 'run', repository: { id: 'github/demo/shop', cloneUrl: 'http://127.0.0.1:1/demo/shop.git' } },
      },
    });
  });

  it('given a delivery that came before, when repeated, then it asks under the same id and gets the same run', async () => {
    const once = await post(delivery('push', 'd-2', pushPayload()));
    expect(await post(delivery('push', 'd-2', pushPayload()))).toEqual(once);
  });

  it('given an id that was used for other content, when delivered, then it is a conflicting repeat', async () => {
    await post(delivery('push', 'd-3', pushPayload()));
    const { status, body } = await post(delivery('push', 'd-3', pushPayload({ after: 'c'.repeat(40) })));
    expect([status, codeIn(body)]).toEqual([409, 'conflicting_repeat']);
  });

  it('given two forges that chose the same id, when both deliver, then each is a delivery of its own', async () => {
    await post(delivery('push', 'd-same', pushPayload()));
    const { status } = await post(
      delivery('push', 'd-same', pushPayload({ after: 'd'.repeat(40) }), OTHER_WEBHOOK_SECRET),
    );
    expect(status).toBe(202);
    expect(taken.slice(-2).map(({ id, data }) => [id, data.forge])).toEqual([
      ['delivery-github:d-same', 'github'],
      ['delivery-github-elsewhere:d-same', 'github-elsewhere'],
    ]);
  });

  it('given an event we do not act on, when delivered, then it is recorded as ignored, with the reason', async () => {
    const { status, body } = await post(delivery('star', 'd-4', { action: 'created' }));
    expect([status, body['runId']]).toEqual([202, null]);
    expect(taken.at(-1)?.data.request).toEqual({ kind: 'ignore', reason: body['ignored'] });
  });

  it.each([
    [
      'a wrong signature',
      delivery('push', 'd-5', pushPayload(), 'another-secret-altogether'),
      401,
      'invalid_signature',
    ],
    [
      'no signature',
      { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } },
      401,
      'invalid_signature',
    ],
    ['malformed JSON', delivery('push', 'd-6', '{"ref":'), 400, 'invalid_request'],
    ['hostile nesting', delivery('push', 'd-7', '['.repeat(100_000)), 400, 'invalid_request'],
    ['a payload without its fields', delivery('push', 'd-8', { ref: 'x' }), 422, 'unsupported_event'],
    [
      'a repository that is not served',
      delivery(
        'push',
        'd-9',
        pushPayload({ repository: { full_name: 'a/b', clone_url: 'x', default_branch: 'main' } }),
      ),
      404,
      'unknown_repository',
    ],
    ['an event name that is none', delivery('pu sh', 'd-10', pushPayload()), 400, 'invalid_request'],
    ['a delivery id that is none', delivery('push', '../x y', pushPayload()), 400, 'invalid_request'],
    [
      'another content type',
      { ...delivery('push', 'd-11', '{}'), headers: { 'content-type': 'text/xml' } },
      415,
      'unsupported_media_type',
    ],
    ['more than 25 MB', delivery('push', 'd-12', 'x'.repeat(25 * 1024 * 1024 + 1)), 413, 'payload_too_large'],
  ])(
    'given %s, when delivered, then it is refused by name and nothing is asked of anybody',
    async (_name, init, status, code) => {
      const before = taken.length;
      const refused = await post(init);
      expect([refused.status, codeIn(refused.body)]).toEqual([status, code]);
      expect(taken).toHaveLength(before);
    },
  );

  it('given a body without an end, when it passes the limit, then it is refused while it streams', async () => {
    const chunk = new Uint8Array(1024 * 1024);
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += chunk.byteLength;
        controller.enqueue(chunk);
      },
    });
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', body: endless, headers, duplex: 'half' } as RequestInit;
    // The answer may be overtaken by the end of the connection; either way it ends.
    const outcome = await gateway.call(PATH, init).then(
      ({ status }) => status,
      () => 'cut',
    );
    expect([413, 'cut']).toContain(outcome);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('a sender that never ends its body', () => {
  it('given the time for a body is over, then the connection is cut', async () => {
    const gateway = await testGateway({ DELTA_BODY_TIMEOUT_MS: '100' });
    try {
      const stuck = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{')) });
      const headers = { 'content-type': 'application/json' };
      const sent = gateway.call(PATH, { method: 'POST', body: stuck, headers, duplex: 'half' } as RequestInit);
      await expect(sent).rejects.toThrow(/fetch failed/);
      expect((await gateway.call('/healthz')).status).toBe(200);
    } finally {
      await gateway.end();
    }
  });
});

describe('a flood of deliveries from one address', () => {
  it('given more than its share, when delivered, then the rest is told when to come again', async () => {
    const gateway = await testGateway({ DELTA_WEBHOOKS_PER_SECOND: '1', DELTA_WEBHOOKS_AT_ONCE: '2' });
    try {
      const answers = [];
      for (let at = 0; at < 4; at += 1) answers.push(await gateway.call(PATH, delivery('push', `f-${at}`, '{}', 'x')));
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 429, 429]);
      expect(Number(answers[3]?.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await gateway.end();
    }
  });
});

describe('large deliveries that never come', () => {
  it('given one source with as many as there is room for, then the next is told to come again, until they are gone', async () => {
    const gateway = await testGateway();
    try {
      const over = new AbortController();
      const stall = (): void => {
        const stuck = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{')) });
        const headers = { 'content-type': 'application/json' };
        const init = { method: 'POST', body: stuck, headers, duplex: 'half', signal: over.signal } as RequestInit;
        void gateway.call(PATH, init).catch(() => undefined);
      };
      const large = 'x'.repeat(20 * 1024 * 1024);
      const status = async () => (await gateway.call(PATH, delivery('push', 'room-1', large, 'x'))).status;
      // Bodies of unknown size count as the largest there may be.
      stall();
      stall();
      await eventually('a third is refused', async () => (await status()) === 429);
      expect((await gateway.call(PATH, delivery('push', 'room-2', '{}', 'x'))).status).toBe(401);
      over.abort();
      await eventually('there is room again', async () => (await status()) === 401);
    } finally {
      await gateway.end();
    }
  });
});

describe('senders that never end their bodies, as many as are worked on at once', () => {
  it('given strangers at both doors, then deliveries and people are answered all the same', async () => {
    const gateway = await testGateway({ DELTA_REQUESTS_AT_ONCE: '1', DELTA_REQUESTS_WAITING_MAX: '1' });
    const over = new AbortController();
    try {
      await gateway.answer({
        'accept-delivery': async () =>
          Promise.resolve({ ok: true, result: { runId: RUN, ignored: null }, position: 1 }),
      });
      const begun = [PATH, PATH, '/api/v1/runs', '/api/v1/runs'].map(async (path) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const stuck = new ReadableStream({
          start: (controller) => controller.enqueue(Buffer.from('{')),
          pull: () => resolve(),
        });
        const init = { method: 'POST', body: stuck, duplex: 'half', signal: over.signal } as RequestInit;
        void gateway.call(path, { ...init, headers: { 'content-type': 'application/json' } }).catch(() => undefined);
        return promise;
      });
      await Promise.all(begun);
      expect((await gateway.call(PATH, delivery('push', 's-1', pushPayload()))).status).toBe(202);
      expect((await gateway.call('/api/v1/runs', { token: gateway.adminToken })).status).toBe(200);
    } finally {
      over.abort();
      await gateway.end();
    }
  });
});

describe('more deliveries than can be answered', () => {
  it('given as many as may wait, then the next is told to come again, people are answered, and who waits has his turn', async () => {
    const gateway = await testGateway({ DELTA_REQUESTS_AT_ONCE: '1', DELTA_REQUESTS_WAITING_MAX: '1' });
    const held = Promise.withResolvers<void>();
    let inHand = 0;
    try {
      await gateway.answer({
        'accept-delivery': async () => {
          inHand += 1;
          await held.promise;
          return { ok: true, result: { runId: RUN, ignored: null }, position: 1 };
        },
      });
      const send = async (id: string) => gateway.call(PATH, delivery('push', id, pushPayload()));
      const first = send('m-1');
      await eventually('one is in hand', () => inHand === 1);
      // Which of the two others waits and which is sent away depends on who is there first.
      const others = [send('m-2'), send('m-3')];
      const away = await Promise.race(others);
      expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1']);
      expect(await away.json()).toMatchObject({ error: { code: 'unavailable' } });
      expect(inHand).toBe(1);
      expect((await gateway.call('/api/v1/runs', { token: gateway.adminToken })).status).toBe(200);
      held.resolve();
      expect((await first).status).toBe(202);
      const statuses = (await Promise.all(others)).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([202, 503]));
    } finally {
      held.resolve();
      await gateway.end();
    }
  });
});
