import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FileArtifactStore, digestOf } from '@delta-ci/artifact-store';
import {
  ARTIFACT_STREAM,
  JobAtMoment,
  MomentView,
  RepositoryList,
  RunPage,
  RunView,
  refuse,
  runStream,
  type Command,
  type CommandName,
} from '@delta-ci/contracts';
import { leaseHashOf } from '@delta-ci/service';
import { json, testGateway, type TestGateway } from '../gateway.fixture.ts';
import { finished, JOB } from '../../../../test/support/made-up/one-job-run.ts';
import { aRunAtWork, PROPOSED, recordedArtifact, RUN_ID, untilQueued } from '../run-story.fixture.ts';

const OTHER_RUN = `run_${'2'.repeat(32)}`;
const UNKNOWN_RUN = `run_${'9'.repeat(32)}`;
const REPOSITORY = 'github%2Fdemo%2Fshop';

describe('the public API', () => {
  let gateway: TestGateway;
  const taken: Command[] = [];

  const answering = <N extends CommandName>(command: Command<N>, result: unknown) => {
    taken.push(command as Command);
    return Promise.resolve({ ok: true as const, result: result as never, position: 1 });
  };

  beforeAll(async () => {
    gateway = await testGateway();
    await gateway.answer({
      'request-run': (command) => answering(command, { runId: command.data.runId }),
      rerun: (command) => answering(command, { runId: command.data.newRunId }),
      'set-policy': (command) => answering(command, {}),
      'cancel-run': (command) =>
        command.data.runId === RUN_ID
          ? Promise.resolve({ ok: false, refusal: refuse('not_cancelable', 'the run has finished') })
          : answering(command, { runId: command.data.runId }),
    });
    await aRunAtWork(gateway, 'e'.repeat(64), `rnr_${'1'.repeat(32)}`);
    const { artifacts: content } = new FileArtifactStore(gateway.artifactDir);
    const stored = await content.put(Buffer.from('a report'), { expected: digestOf('a report'), sizeBytesMax: 100 });
    await content.put(Buffer.from('of another run'), { expected: digestOf('of another run'), sizeBytesMax: 100 });
    await gateway.append(runStream(RUN_ID), [
      recordedArtifact('out/it’s a report.txt', stored.digest, stored.sizeBytes),
      recordedArtifact('out/old.txt', digestOf('old'), 3),
      ...finished(),
    ]);
    await gateway.append(runStream(OTHER_RUN), untilQueued(OTHER_RUN), [PROPOSED]);
  });
  afterAll(async () => gateway.end());

  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await gateway.call(`/api/v1${path}`, { ...init, token: gateway.adminToken });
    const body = (await response.json()) as Record<string, unknown>;
    return { status: response.status, body, code: (body['error'] as { code: string } | undefined)?.code };
  };

  describe('moments of the past', () => {
    it('given a position, when asked, then what was under way there is told, and nothing of a lease but who held it', async () => {
      const queued = MomentView.parse((await ask('/at/5')).body);
      expect(queued).toMatchObject({ position: 5, runs: [{ runId: RUN_ID }], queue: [{ jobKey: JOB }], leases: [] });
      const leased = MomentView.parse((await ask('/at/7')).body);
      expect(leased).toMatchObject({ queue: [], leases: [{ runId: RUN_ID, jobKey: JOB, state: 'granted' }] });
      expect(JSON.stringify(leased)).not.toContain(leaseHashOf('e'.repeat(64)));
    });

    it('given a job, when asked why it waited then, then one sentence says so', async () => {
      const { body } = await ask(`/at/5/runs/${RUN_ID}/jobs/${JOB}`);
      expect(JobAtMoment.parse(body)).toMatchObject({ state: 'active', why: { reason: 'no-runner' } });
    });

    it.each([
      ['/at/tomorrow', 400, 'invalid_request'],
      ['/at/999999', 404, 'not_found'],
      [`/at/5/runs/${UNKNOWN_RUN}/jobs/${JOB}`, 404, 'not_found'],
      ['/at/5?cursor=nonsense', 400, 'invalid_request'],
    ])('given %s, when asked, then it is refused', async (path, status, code) => {
      expect(await ask(path)).toMatchObject({ status, code });
    });
  });

  describe('runs', () => {
    it('given two runs, when listed by pages of one, then each comes once, the newest first', async () => {
      const first = RunPage.parse((await ask('/runs?limit=1')).body);
      const second = RunPage.parse((await ask(`/runs?limit=1&cursor=${first.nextCursor}`)).body);
      expect([first, second].flatMap(({ runs }) => runs.map(({ runId }) => runId))).toEqual([OTHER_RUN, RUN_ID]);
      expect(second.nextCursor).toBeNull();
    });

    it.each([
      ['state=succeeded', [RUN_ID]],
      ['state=queued', [OTHER_RUN]],
      [`repository=${REPOSITORY}&ref=refs/heads/main`, [OTHER_RUN, RUN_ID]],
      ['ref=refs/heads/other', []],
    ])('given the filter %s, when listed, then only what matches comes', async (query, expected) => {
      const { runs } = RunPage.parse((await ask(`/runs?${query}`)).body);
      expect(runs.map(({ runId }) => runId)).toEqual(expected);
    });

    it('given a finished run, when shown, then it has its job, attempt and artifact, and no lease', async () => {
      const { status, body } = await ask(`/runs/${RUN_ID}`);
      const run = RunView.parse(body);
      expect([status, run.outcome, run.jobs[0]?.attempts[0]?.artifacts.length]).toEqual([200, 'succeeded', 2]);
      expect(JSON.stringify(body)).not.toMatch(/lease(?!dAtMs)/i);
    });

    it.each([
      ['a run that is not there', `/runs/${UNKNOWN_RUN}`, 404, 'not_found'],
      ['an id that is none', '/runs/42', 400, 'invalid_request'],
      ['a cursor that is none', '/runs?cursor=x', 400, 'invalid_request'],
      ['a NUL to look for', '/runs?actor=a%00b', 400, 'invalid_request'],
      ['an unknown filter', '/runs?colour=red', 400, 'invalid_request'],
      ['too many at once', '/runs?limit=201', 400, 'invalid_request'],
      ['a route that is not there', '/nothing', 404, 'not_found'],
      ['a percent escape that is none', '/runs/%zz', 400, 'invalid_request'],
      ['an escape that is no UTF-8', '/runs/%ff', 400, 'invalid_request'],
      ['a part without an end', `/runs/${'a'.repeat(9_000)}`, 400, 'invalid_request'],
      ['a job that is not there', `/runs/${RUN_ID}/why/none`, 404, 'not_found'],
    ])('given %s, when asked for, then it is refused by name', async (_name, path, status, code) => {
      expect(await ask(path)).toMatchObject({ status, code });
    });

    it('given a path that cannot be decoded, when asked for, then the answer has the headers of every answer', async () => {
      const response = await gateway.call('/api/v1/runs/%zz', { token: gateway.adminToken });
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    });

    it('given a method that the resource does not take, then those that it takes are named', async () => {
      const response = await gateway.call('/api/v1/runs', { method: 'DELETE', token: gateway.adminToken });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, GET']);
    });

    it('given its plan, when asked why and why not, then the plan’s own explanations are answered', async () => {
      expect((await ask(`/runs/${RUN_ID}/plan`)).body).toEqual(JSON.parse(JSON.stringify(PROPOSED)));
      const why = await ask(`/runs/${RUN_ID}/why/${JOB}`);
      expect(why.body).toMatchObject({ subject: { kind: 'job', id: JOB }, explanation: { decision: 'run' } });
      const whyNot = await ask(`/runs/${RUN_ID}/why-not/docs`);
      expect(whyNot.body).toMatchObject({ explanation: { decision: 'skip', sentence: 'nothing of docs changed' } });
      const unit = await ask(`/runs/${RUN_ID}/why-not/packages%2Fcart`);
      expect(unit.body).toMatchObject({ subject: { kind: 'unit', id: 'packages/cart' } });
    });
  });

  describe('asking for runs', () => {
    const wanted = { repository: 'github/demo/shop', ref: 'refs/heads/main', head: 'b'.repeat(40) };

    it('given an idempotency key, when repeated, then it is one command for one run', async () => {
      const init = json(wanted);
      const headers = { ...(init.headers as Record<string, string>), 'idempotency-key': 'once' };
      const answers = [await ask('/runs', { ...init, headers }), await ask('/runs', { ...init, headers })];
      expect(answers[0]).toEqual(answers[1]);
      expect(answers[0]?.status).toBe(202);
      const [first, second] = taken.slice(-2);
      expect(first).toEqual({ ...second, traceparent: first?.traceparent });
      expect(first).toMatchObject({ actor: { kind: 'operator', name: 'admin' }, data: { change: { kind: 'manual' } } });
    });

    it.each(['main', 'refs/heads/--upload-pack=x', 'refs/heads/a..b', 'refs/heads/a b'])(
      'given the ref %j, when asked for, then it is refused here and nothing is asked of anybody',
      async (ref) => {
        const before = taken.length;
        expect(await ask('/runs', json({ ...wanted, ref }))).toMatchObject({ status: 400, code: 'invalid_request' });
        expect(taken).toHaveLength(before);
      },
    );

    it('given fields that are missing or wrong, when asked for, then each is told in words', async () => {
      const { body } = await ask('/runs', json({ repository: 'shop', ref: 7 }));
      expect(body).toMatchObject({
        error: {
          details: {
            problems: [
              'repository of the body: expected forge/owner/name',
              'ref of the body: expected text, not 7: put it in quotes, "7"',
              'head of the body: missing, expected text',
            ],
          },
        },
      });
    });

    it('given names as long as they like, when told what is wrong with them, then no more than their beginning comes back', async () => {
      const { body } = await ask('/runs', json({ ...wanted, ['x'.repeat(50_000)]: 1 }));
      expect(body).toMatchObject({
        error: { message: expect.stringMatching(/^the body: nothing is called "x{900,980}…$/) },
      });
      const nul = await ask('/runs?ref=a%00b');
      expect(nul.body).toMatchObject({ error: { message: 'ref of the query: holds a NUL character' } });
    });

    it('given what is served, when listed, then each repository comes with where it is cloned from', async () => {
      const { repositories } = RepositoryList.parse((await ask('/repositories')).body);
      expect(repositories.find(({ id }) => id === wanted.repository)).toMatchObject({
        fullName: 'demo/shop',
        forge: 'github',
        cloneUrl: expect.stringContaining('demo/shop'),
      });
    });

    it('given no key, when repeated, then it is two', async () => {
      const [one, other] = [await ask('/runs', json(wanted)), await ask('/runs', json(wanted))];
      expect(one.body['runId']).not.toBe(other.body['runId']);
    });

    it.each([
      ['a repository that is not served', { ...wanted, repository: 'github/a/b' }, 404, 'unknown_repository'],
      ['a short commit', { ...wanted, head: 'abc' }, 400, 'invalid_request'],
      ['an unknown field', { ...wanted, colour: 'red' }, 400, 'invalid_request'],
    ])('given %s, when asked for, then it is refused by name', async (_name, body, status, code) => {
      expect(await ask('/runs', json(body))).toMatchObject({ status, code });
    });

    it('given a body over its limit, when sent, then it is refused', async () => {
      expect(await ask('/runs', json({ ...wanted, title: 'x'.repeat(70_000) }))).toMatchObject({ status: 413 });
    });

    it('when a run is to be run again or canceled, then the orchestrator decides', async () => {
      expect(await ask(`/runs/${RUN_ID}/rerun`, json({ only: 'failed' }))).toMatchObject({ status: 202 });
      expect(taken.at(-1)).toMatchObject({ name: 'rerun', data: { runId: RUN_ID, only: 'failed' } });
      expect(await ask(`/runs/${OTHER_RUN}/cancel`, { method: 'POST' })).toMatchObject({ status: 202 });
      expect(taken.at(-1)).toMatchObject({ name: 'cancel-run', data: { reason: 'canceled by request' } });
      expect(await ask(`/runs/${RUN_ID}/cancel`, json({}))).toMatchObject({ status: 409, code: 'not_cancelable' });
    });
  });

  describe('artifacts', () => {
    it('given a recorded one, when listed and downloaded, then it comes as a file that no browser shows', async () => {
      const { body } = await ask(`/runs/${RUN_ID}/jobs/${JOB}/artifacts`);
      const [artifact] = body['artifacts'] as { digest: string; attempt: number }[];
      expect(artifact).toMatchObject({ name: 'out/it’s a report.txt', attempt: 1 });
      const path = `/api/v1/runs/${RUN_ID}/jobs/${JOB}/artifacts/${artifact?.digest}`;
      const response = await gateway.call(path, { token: gateway.adminToken });
      expect(await response.text()).toBe('a report');
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'application/octet-stream',
        'content-disposition': "attachment; filename*=UTF-8''it%E2%80%99s%20a%20report.txt",
        'x-content-type-options': 'nosniff',
      });
    });

    it('given one whose days are over, when asked for, then the answer says that it is gone, why, and since when', async () => {
      const artifact = { name: 'out/old.txt', digest: digestOf('old'), sizeBytes: 3, retentionDays: 7 };
      const data = {
        policy: 'retention-days' as const,
        artifacts: [{ runId: RUN_ID, jobKey: JOB, attempt: 1, ...artifact, recordedAtMs: 1 }],
        objects: [],
      };
      await gateway.append(ARTIFACT_STREAM, [{ type: 'artifact.expired', data }]);
      const { status, code, body } = await ask(`/runs/${RUN_ID}/jobs/${JOB}/artifacts/${artifact.digest}`);
      expect([status, code]).toEqual([410, 'gone']);
      expect(body).toMatchObject({
        error: { details: { policy: 'retention-days', retentionDays: 7, expiredAtMs: expect.any(Number) } },
      });
      const listed = (await ask(`/runs/${RUN_ID}/jobs/${JOB}/artifacts`)).body['artifacts'] as Record<
        string,
        unknown
      >[];
      expect(listed.map((each) => [each['name'], 'expiredAtMs' in each])).toEqual([
        ['out/it’s a report.txt', false],
        ['out/old.txt', true],
      ]);
    });

    it('given one that is stored but was not recorded for this run, when downloaded, then it is not there', async () => {
      const { digest } = await new FileArtifactStore(gateway.artifactDir).artifacts.put(Buffer.from('of another run'), {
        expected: digestOf('of another run'),
        sizeBytesMax: 100,
      });
      expect(await ask(`/runs/${RUN_ID}/jobs/${JOB}/artifacts/${digest}`)).toMatchObject({ status: 404 });
    });
  });

  describe('pools and policies', () => {
    it('given work that waits, when pools are listed, then its pool is there', async () => {
      expect((await ask('/pools')).body).toMatchObject({ pools: [{ pool: 'default', queued: 1 }] });
      expect((await ask('/pools/default/decisions')).body).toEqual({ decisions: [] });
    });

    it('given a policy, when set, then it is a command; nothing is known of strangers', async () => {
      expect(await ask(`/policies/${REPOSITORY}`)).toMatchObject({ status: 200, body: { policy: {} } });
      const set = await ask(`/policies/${REPOSITORY}`, json({ failFast: false }, 'PUT'));
      expect(set).toMatchObject({ status: 200, body: { repository: 'github/demo/shop', policy: { failFast: false } } });
      expect(taken.at(-1)).toMatchObject({ name: 'set-policy', data: { policy: { failFast: false } } });
      expect(await ask('/policies/github%2Fa%2Fb', json({}, 'PUT'))).toMatchObject({ code: 'unknown_repository' });
      expect(await ask(`/policies/${REPOSITORY}`, json({ colour: 1 }, 'PUT'))).toMatchObject({
        code: 'invalid_request',
      });
    });
  });

  it('describes itself to anyone', async () => {
    const response = await gateway.call('/openapi.json');
    expect(await response.json()).toMatchObject({ openapi: '3.1.0' });
  });
});
