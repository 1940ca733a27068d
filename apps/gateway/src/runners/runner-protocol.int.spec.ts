import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CommandHandlers } from '@delta-ci/bus';
import {
  LeaseOffer,
  RegisterRunnerAnswer,
  refuse,
  runStream,
  type Command,
  type GrantedLease,
} from '@delta-ci/contracts';
import { leaseHashOf } from '@delta-ci/service';
import { eventually } from '../../../../test/support/infra/index.ts';
import { json, REGISTRATION_TOKEN, testGateway, type TestGateway } from '../gateway.fixture.ts';
import { aReport } from '../../../../test/support/made-up/completion-report.ts';
import { finished, JOB } from '../../../../test/support/made-up/one-job-run.ts';
import { aRunAtWork, PROPOSED, RUN_ID } from '../run-story.fixture.ts';

const LEASE_ID = 'e'.repeat(64);
const registration = {
  name: 'runner-1',
  pool: 'default',
  capabilities: { os: 'linux', arch: 'x64', isolation: ['process'], toolchains: [], labels: [] },
  version: '1.0.0',
};
const granted: GrantedLease = {
  runId: RUN_ID,
  jobKey: JOB,
  attempt: 1,
  fence: 1,
  planDigest: PROPOSED.digest,
  ttlMs: 120_000,
  heartbeatMs: 20_000,
  acceptanceMs: 30_000,
  maxRuntimeMs: 3_600_000,
  traceparent: null,
};
const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

describe('the runner protocol', () => {
  let gateway: TestGateway;
  let runner: RegisterRunnerAnswer;
  const taken: Command[] = [];

  const note = <C extends Command>(command: C): C => {
    taken.push(command);
    return command;
  };
  const stale = Promise.resolve({
    ok: false as const,
    refusal: refuse('stale_lease', 'gone', { reason: 'superseded' }),
  });
  /** Answers as an orchestrator would that knows one lease. */
  const handlers: CommandHandlers = {
    'register-runner': (command) => {
      const { runnerId } = note(command).data;
      return Promise.resolve({ ok: true, result: { runnerId }, position: 1 });
    },
    'grant-lease': (command) => {
      note(command);
      return Promise.resolve({ ok: true, result: { lease: null }, position: 1 });
    },
    'acknowledge-lease': (command) =>
      knows(note(command)) ? Promise.resolve({ ok: true, result: { state: 'active' }, position: 1 }) : stale,
    heartbeat: (command) => {
      const result = { extend: true, ttlMs: 120_000, cancelRequested: false, cancelDeadlineAtMs: null };
      return knows(note(command)) ? Promise.resolve({ ok: true, result, position: 1 }) : stale;
    },
    'complete-attempt': (command) =>
      knows(note(command)) ? Promise.resolve({ ok: true, result: { outcome: 'succeeded' }, position: 1 }) : stale,
    'acknowledge-cancel': (command) => {
      note(command);
      return Promise.resolve({ ok: false, refusal: refuse('cancel_not_requested', 'nobody asked') });
    },
    'record-artifact': (command) => {
      note(command);
      return Promise.resolve({ ok: true, result: {}, position: 1 });
    },
  };
  const knows = ({ data }: Command<'acknowledge-lease' | 'heartbeat' | 'complete-attempt'>) =>
    data.leaseHash === leaseHashOf(LEASE_ID) && data.runnerId === runner.runnerId;

  beforeAll(async () => {
    gateway = await testGateway();
    await gateway.answer(handlers);
    runner = await register();
    await aRunAtWork(gateway, LEASE_ID, runner.runnerId);
  });
  afterAll(async () => gateway.end());

  const register = async (at = gateway) => {
    const response = await at.call('/runner/v1/runners', { ...json(registration), token: REGISTRATION_TOKEN });
    expect(response.status).toBe(201);
    return RegisterRunnerAnswer.parse(await response.json());
  };
  const ask = async (path: string, init: RequestInit, token = runner.token) => {
    const response = await gateway.call(`/runner/v1${path}`, { ...init, token });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : (JSON.parse(text) as Record<string, unknown>) };
  };
  const codeIn = (body: Record<string, unknown> | null) => (body?.['error'] as { code: string } | undefined)?.code;
  const bytes = (content: string, method: string) => ({
    method,
    body: content,
    headers: { 'content-type': 'application/octet-stream' },
  });

  describe('coming in', () => {
    it('given the registration token, when a runner registers, then it gets an id and a token of its own', () => {
      expect(taken[0]).toMatchObject({ name: 'register-runner', id: `register-${runner.runnerId}` });
      expect(runner.tokenExpiresAtMs).toBeGreaterThan(Date.now());
    });

    it.each([
      ['no token', undefined],
      ['another token', 'not-the-registration-token'],
    ])('given %s, when a runner registers, then it is a stranger', async (_name, token) => {
      const response = await gateway.call('/runner/v1/runners', { ...json(registration), ...(token && { token }) });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    });

    it('given an unknown field, when a runner registers, then it is refused with the field', async () => {
      const { status, body } = await ask('/runners', json({ ...registration, colour: 'red' }), REGISTRATION_TOKEN);
      expect([status, codeIn(body), JSON.stringify(body)]).toEqual([
        400,
        'invalid_request',
        expect.stringContaining('colour'),
      ]);
    });

    it('given a token that holds, when renewed, then a fresh one for the same runner comes', async () => {
      const { status, body } = await ask('/token', json({}));
      const renewed = RegisterRunnerAnswer.parse(body);
      expect([status, renewed.runnerId]).toEqual([200, runner.runnerId]);
    });

    it.each([
      ['the registration token', REGISTRATION_TOKEN],
      ['a token that was changed', 'delta-runner-1.e30.AAAA'],
    ])('given %s, when a lease is asked for, then it is no runner', async (_name, token) => {
      expect((await ask('/leases', json({ waitSeconds: 0 }), token)).status).toBe(401);
    });

    it('given the administrator, when a lease is asked for, then it is no runner either', async () => {
      expect((await ask('/leases', json({ waitSeconds: 0 }), gateway.adminToken)).status).toBe(401);
    });
  });

  describe('waiting for work', () => {
    it('given no work, when the wait is over, then there is nothing to read', async () => {
      expect(await ask('/leases', json({ waitSeconds: 0 }))).toEqual({ status: 204, body: null });
    });

    it('given work, when asked, then the offer has the job and its source, and the orchestrator knows the hash alone', async () => {
      let hash = '';
      await gateway.answer({
        ...handlers,
        'grant-lease': ({ data }) => {
          hash = data.leaseHash;
          return Promise.resolve({ ok: true, result: { lease: granted }, position: 1 });
        },
      });
      const { status, body } = await ask('/leases', json({ waitSeconds: 5 }));
      const offer = LeaseOffer.parse(body);
      expect([status, leaseHashOf(offer.leaseId)]).toEqual([200, hash]);
      expect(offer).toMatchObject({
        job: PROPOSED.plan.jobs[0],
        source: { commit: 'b'.repeat(40), tree: 'c'.repeat(40), token: null },
        secrets: {},
      });
      expect(gateway.lines.join('')).not.toContain(offer.leaseId);
      await gateway.answer(handlers);
    });

    it('given a runner that goes away while it waits, then its wait is ended and no other is begun for it', async () => {
      const waits: { waitMs: number; answer: () => void }[] = [];
      await gateway.answer({
        ...handlers,
        'grant-lease': async ({ data }) => {
          const { promise, resolve } = Promise.withResolvers<void>();
          waits.push({ waitMs: data.waitMs, answer: resolve });
          await promise;
          return { ok: true, result: { lease: null }, position: 1 };
        },
      });
      const answeredSoFar = () =>
        gateway.lines.filter((line) => line.includes('/runner/v1/leases"') && line.includes('request-answered')).length;
      const answeredBefore = answeredSoFar();
      const away = new AbortController();
      const asked = ask('/leases', { ...json({ waitSeconds: 30 }), signal: away.signal }).catch(() => 'gone');
      await eventually('the first wait', () => waits[0]);
      away.abort();
      expect(await asked).toBe('gone');
      await eventually('the listener hears of it', () => answeredSoFar() > answeredBefore);
      await eventually('the wait is ended', () => waits[1]);
      for (const { answer } of waits) answer();
      // A further wait would come before this answer: both go through the same connection.
      expect((await ask('/token', json({}))).status).toBe(200);
      expect(waits.map(({ waitMs }) => waitMs > 0)).toEqual([true, false]);
      await gateway.answer(handlers);
    });

    it('given a gateway that stops while a runner waits, then the wait is ended with no work', async () => {
      const stopping = await testGateway();
      const { promise: ended, resolve: endFirst } = Promise.withResolvers<void>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      await stopping.answer({
        ...handlers,
        // As the orchestrator does it: asking again for the same lease ends the first request.
        'grant-lease': async ({ data }) => {
          if (data.waitMs === 0) endFirst();
          begin();
          await ended;
          return { ok: true, result: { lease: null }, position: 1 };
        },
      });
      try {
        const { token } = await register(stopping);
        const polled = stopping.call('/runner/v1/leases', { ...json({ waitSeconds: 30 }), token });
        await begun;
        await stopping.stop();
        expect((await polled).status).toBe(204);
      } finally {
        await stopping.end();
      }
    });
  });

  describe('under a lease', () => {
    const path = (rest: string, leaseId = LEASE_ID) => `/leases/${leaseId}${rest}`;
    const beat = { phase: 'running', percent: null, step: 'test', message: null, logCursor: 0 };

    it('given the lease, when acknowledged, kept and completed, then each is answered', async () => {
      expect(await ask(path('/ack'), json({}))).toEqual({ status: 200, body: { state: 'active' } });
      expect(await ask(path('/heartbeat'), json(beat))).toMatchObject({ status: 200, body: { extend: true } });
      expect(await ask(path('/complete'), json(aReport()))).toEqual({ status: 200, body: { outcome: 'succeeded' } });
    });

    it('given a completion that is repeated, then it asks under the same id; heartbeats never do', async () => {
      await ask(path('/complete'), json(aReport()));
      await ask(path('/complete'), json(aReport()));
      await ask(path('/heartbeat'), json(beat));
      await ask(path('/heartbeat'), json(beat));
      const idsOf = (name: string) => taken.filter((command) => command.name === name).map(({ id }) => id);
      expect(new Set(idsOf('complete-attempt')).size).toBe(1);
      expect(new Set(idsOf('heartbeat')).size).toBe(idsOf('heartbeat').length);
    });

    it('given a lease that does not count, when anything is said under it, then it is stale, with the reason', async () => {
      const other = 'd'.repeat(64);
      for (const [rest, init] of [
        ['/ack', json({})],
        ['/heartbeat', json(beat)],
        ['/complete', json(aReport())],
        ['/log?offset=0', bytes('x', 'POST')],
        [`/artifacts?name=a&type=file&digest=${sha256('x')}&retention_days=1`, bytes('x', 'PUT')],
      ] as const) {
        const { status, body } = await ask(path(rest, other), init);
        expect([rest, status, codeIn(body)]).toEqual([rest, 409, 'stale_lease']);
        expect(body).toMatchObject({ error: { details: { reason: expect.any(String) } } });
      }
    });

    it('given another runner that has learned the lease id, when it speaks, then the lease is none of its', async () => {
      const thief = await register();
      expect(codeIn((await ask(path('/complete'), json(aReport()), thief.token)).body)).toBe('stale_lease');
      expect(codeIn((await ask(path('/log?offset=0'), bytes('x', 'POST'), thief.token)).body)).toBe('stale_lease');
      const [mine, theirs] = [runner, thief].map(({ runnerId }) =>
        taken.find(({ name, data }) => name === 'complete-attempt' && 'runnerId' in data && data.runnerId === runnerId),
      );
      expect(mine?.id).not.toBe(theirs?.id);
    });

    it('given nobody asked to cancel, when a cancel is acknowledged, then it is refused', async () => {
      expect(codeIn((await ask(path('/cancel-ack'), json(aReport('canceled')))).body)).toBe('cancel_not_requested');
    });

    it('given chunks of a log, when sent and repeated, then the log grows once; a gap is told where to go on', async () => {
      expect(await ask(path('/log?offset=0'), bytes('hello ', 'POST'))).toEqual({
        status: 200,
        body: { nextOffset: 6 },
      });
      expect(await ask(path('/log?offset=0'), bytes('hello ', 'POST'))).toEqual({
        status: 200,
        body: { nextOffset: 6 },
      });
      expect(await ask(path('/log?offset=9'), bytes('!', 'POST'))).toMatchObject({
        status: 409,
        body: { error: { code: 'offset_mismatch', details: { nextOffset: 6 } } },
      });
      expect((await ask(path('/log?offset=6'), bytes('world', 'POST'))).body).toEqual({ nextOffset: 11 });
    });

    it('given a chunk over its limit, when sent, then it is refused by its head', async () => {
      const { status, body } = await ask(path('/log?offset=0'), bytes('x'.repeat(1024 * 1024 + 1), 'POST'));
      expect([status, codeIn(body)]).toEqual([413, 'payload_too_large']);
    });

    it('given an artifact, when uploaded, then it is stored under its digest and recorded', async () => {
      const query = new URLSearchParams({
        name: 'out/a b.txt',
        type: 'file',
        digest: sha256('content'),
        retention_days: '7',
      });
      const answer = await ask(path(`/artifacts?${query.toString()}`), bytes('content', 'PUT'));
      expect(answer).toEqual({ status: 200, body: { digest: sha256('content'), sizeBytes: 7 } });
      expect(taken.at(-1)).toMatchObject({
        name: 'record-artifact',
        data: { artifact: { name: 'out/a b.txt', sizeBytes: 7, retentionDays: 7 } },
      });
    });

    it('given an artifact that is not what was announced, when uploaded, then nothing is recorded', async () => {
      const before = taken.length;
      const query = new URLSearchParams({ name: 'a', type: 'file', digest: sha256('other'), retention_days: '7' });
      const { status, body } = await ask(path(`/artifacts?${query.toString()}`), bytes('content', 'PUT'));
      expect([status, codeIn(body), taken.length]).toEqual([422, 'digest_mismatch', before]);
    });

    it('given a lease id that is none, when used, then it is refused before anybody is asked', async () => {
      expect((await ask(path('/ack', 'short'), json({}))).status).toBe(400);
    });

    it('given an attempt whose end is accepted, then its log is compressed, and not before it is over', async () => {
      const growing = join(gateway.artifactDir, 'logs', RUN_ID, JOB, '1.log');
      const archived = join(gateway.artifactDir, 'logs-archive', RUN_ID, JOB, '1.log.zst');
      await ask(path('/log?offset=0'), bytes('hello ', 'POST'));
      await ask(path('/complete'), json(aReport()));
      expect([existsSync(growing), existsSync(archived)]).toEqual([true, false]);
      await gateway.append(runStream(RUN_ID), finished());
      await ask(path('/complete'), json(aReport()));
      await eventually('the log is compressed', () => existsSync(archived) && !existsSync(growing));
    });
  });

  it('nothing that was logged holds the lease id or a token', () => {
    const logged = gateway.lines.join('');
    for (const secret of [LEASE_ID, runner.token, REGISTRATION_TOKEN, gateway.adminToken]) {
      expect(logged).not.toContain(secret);
    }
    expect(logged).toContain('/runner/v1/leases/:leaseId/complete');
  });

  it('given a writer with too much waiting, when a runner registers, then it is told how long to wait', async () => {
    const busy = await testGateway();
    try {
      await busy.answer({
        'register-runner': () =>
          Promise.resolve({
            ok: false,
            refusal: refuse('unavailable', 'too much is waiting', { retryAfterMs: 2_500 }),
          }),
      });
      const response = await busy.call('/runner/v1/runners', { ...json(registration), token: REGISTRATION_TOKEN });
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '3']);
    } finally {
      await busy.end();
    }
  });

  it('given an orchestrator that is away, when a lease is asked for, then the runner is told to come again', async () => {
    const alone = await testGateway();
    try {
      const path = '/runner/v1/runners';
      const response = await alone.call(path, { ...json(registration), token: REGISTRATION_TOKEN });
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    } finally {
      await alone.end();
    }
  });
});
