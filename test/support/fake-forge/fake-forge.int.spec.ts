import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeveloperClone } from '../git-server/bare-repository.ts';
import { FakeForge } from './fake-forge.ts';
import { changedRefs } from './push-webhook.ts';

const TOKEN = 'fake-token-of-a-fake-forge';
let directory: string;
let forge: FakeForge;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'delta-fake-forge-'));
  forge = await FakeForge.start({ directory, token: TOKEN });
});
afterAll(async () => {
  await forge.close();
  await rm(directory, { recursive: true, force: true });
});

async function call(
  method: string,
  path: string,
  body?: object,
  token = TOKEN,
): Promise<{ status: number; body: { id?: number } }> {
  const response = await fetch(`${forge.apiUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as { id?: number } };
}

const sha = 'a'.repeat(40);

describe('the fake forge', () => {
  it('given a check run, when created, updated and listed, then it is what was sent last', async () => {
    const created = await call('POST', '/repos/demo/shop/check-runs', {
      name: 'gate',
      head_sha: sha,
      status: 'queued',
    });
    expect(created.status).toBe(201);
    const update = { status: 'completed', conclusion: 'success', output: { title: 't', summary: 's' } };
    expect((await call('PATCH', `/repos/demo/shop/check-runs/${created.body.id}`, update)).status).toBe(200);
    expect(forge.checkRuns('demo/shop', sha)).toMatchObject([
      { name: 'gate', status: 'completed', conclusion: 'success' },
    ]);
    expect((await call('GET', `/repos/demo/shop/commits/${sha}/check-runs`)).body).toMatchObject({ total_count: 1 });
  });

  it.each([
    [
      '51 annotations',
      { output: { title: 't', summary: 's', annotations: Array.from({ length: 51 }, () => annotation()) } },
    ],
    ['a summary too long', { output: { title: 't', summary: 'x'.repeat(65_536) } }],
    [
      'four actions',
      { actions: ['a', 'b', 'c', 'd'].map((identifier) => ({ label: 'l', description: 'd', identifier })) },
    ],
    ['a conclusion of our own', { status: 'completed', conclusion: 'canceled' }],
    ['a completed check without conclusion', { status: 'completed' }],
  ])('given %s, when created, then it is refused as GitHub would', async (_name, fields) => {
    const answer = await call('POST', '/repos/demo/shop/check-runs', { name: 'bad', head_sha: sha, ...fields });
    expect(answer.status).toBe(422);
  });

  it('given a wrong token or a failure to order, then it says so', async () => {
    expect((await call('GET', `/repos/demo/shop/commits/${sha}/check-runs`, undefined, 'wrong')).status).toBe(401);
    forge.failNext({ status: 503 });
    expect((await call('GET', `/repos/demo/shop/commits/${sha}/check-runs`)).status).toBe(503);
    expect((await call('GET', `/repos/demo/shop/commits/${sha}/check-runs`)).status).toBe(200);
  });
});

describe('pushes to the fake forge', () => {
  const PASSWORD = 'fake-password-of-a-fake-forge';
  const SECRET = 'fake-secret-of-a-fake-webhook';
  const deliveries: { signed: boolean; body: Record<string, unknown> }[] = [];
  let place: string;
  let closed: FakeForge;
  let listener: Server;

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'delta-fake-forge-'));
    const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const body = await text(request);
      const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
      deliveries.push({
        signed: request.headers['x-hub-signature-256'] === signature,
        body: JSON.parse(body) as Record<string, unknown>,
      });
      response.writeHead(202, { 'content-type': 'application/json' }).end('{"runId":"run_1"}');
    };
    listener = createServer((request, response) => void take(request, response));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    closed = await FakeForge.start({ directory: join(place, 'forge'), token: TOKEN, pushPassword: PASSWORD });
    await writeFile(join(place, 'credentials'), closed.url.replace('//', `//delta:${PASSWORD}@`));
  });
  afterAll(async () => {
    await closed.close();
    listener.close();
    await rm(place, { recursive: true, force: true });
  });

  const developerOf = async (fullName: string, credentials: string | null): Promise<DeveloperClone> =>
    DeveloperClone.create(closed.barePath(fullName), closed.cloneUrl(fullName), place, credentials);

  it('given a password, when somebody pushes without it, then nothing is taken, and everybody may still read', async () => {
    const stranger = await developerOf('demo/kept', null);
    await expect(stranger.push('main', 'first', { a: '1' })).rejects.toThrow(/could not read Username|Authentication/);
  });

  it('given a webhook, when commits are pushed, then each is told once, signed, with what was there before', async () => {
    const developer = await developerOf('demo/told', join(place, 'credentials'));
    const untold = await developer.push('main', 'before anybody listens', { a: '1' });
    const { port } = listener.address() as AddressInfo;
    const heard: string[] = [];
    closed.tellPushes({ url: `http://127.0.0.1:${port}/`, secret: SECRET, sender: 'somebody' }, ({ commit }) =>
      heard.push(commit.after),
    );
    const commit = await developer.push('main', 'second', { a: '2' });
    const told = await closed.toldOf('demo/told', commit.after);
    expect(told).toMatchObject({
      fullName: 'demo/told',
      commit: { ref: 'refs/heads/main', before: untold.after, message: 'second' },
      answer: { status: 202, body: { runId: 'run_1' } },
    });
    expect(heard).toEqual([commit.after]);
    expect(deliveries).toMatchObject([
      {
        signed: true,
        body: {
          ref: commit.ref,
          after: commit.after,
          sender: { login: 'somebody' },
          repository: { full_name: 'demo/told' },
        },
      },
    ]);
  });

  it('given refs before and after, then those that moved, came and went are told', () => {
    const before = new Map([
      ['same', 'a'],
      ['moved', 'b'],
      ['gone', 'c'],
    ]);
    const after = new Map([
      ['same', 'a'],
      ['moved', 'd'],
      ['new', 'e'],
    ]);
    const none = '0'.repeat(40);
    expect(changedRefs(before, after)).toEqual([
      { ref: 'moved', before: 'b', after: 'd' },
      { ref: 'gone', before: 'c', after: none },
      { ref: 'new', before: none, after: 'e' },
    ]);
  });
});

function annotation(): object {
  return { path: 'a.js', start_line: 1, end_line: 1, annotation_level: 'failure', message: 'm' };
}
