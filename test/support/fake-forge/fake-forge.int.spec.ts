import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeveloperClone, git } from '../git-server/bare-repository.ts';
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
    expect(await git(place, 'ls-remote', closed.cloneUrl('demo/kept'))).toBe('');
  });

  it.each(['.git/git-receive-pack', '.git/git%2dreceive-pack', '.git//git-receive-pack', '/git-receive-pack'])(
    'given a password, when a stranger pushes without it to %s, then nothing is taken',
    async (rest) => {
      const developer = await developerOf('demo/closed', join(place, 'credentials'));
      const { after } = await developer.push('main', 'first', { a: '1' });
      const bare = closed.barePath('demo/closed');
      const answer = await fetch(`${closed.url}/demo/closed${rest}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-git-receive-pack-request' },
        body: packetsOf(`${'0'.repeat(40)} ${after} refs/heads/strange\0 report-status`),
      });
      expect([401, 404]).toContain(answer.status);
      expect(await git(bare, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
    },
  );

  it('given pushes to what is no repository, and requests that nobody can read, then it says so and goes on', async () => {
    closed.tellPushes({ url: 'http://127.0.0.1:1/', secret: SECRET, sender: 'somebody' });
    const authorization = `Basic ${Buffer.from(`delta:${PASSWORD}`).toString('base64')}`;
    const nowhere = `${closed.url}/demo/nothing.git/git-receive-pack`;
    const answer = await fetch(nowhere, { method: 'POST', headers: { authorization }, body: '0000' });
    expect(answer.status).toBe(404);
    expect(await statusOf(closed, '/%zz', '127.0.0.1')).toBe(404);
    expect(await statusOf(closed, '//', '127.0.0.1')).toBe(400);
  });

  it('given a name of its own for this machine, when a page asks by it, then it reads nothing', async () => {
    const developer = await developerOf('demo/read', join(place, 'credentials'));
    await developer.push('main', 'first', { a: '1' });
    const path = '/demo/read.git/info/refs?service=git-upload-pack';
    expect(await statusOf(closed, path, 'page.example.org:80')).toBe(421);
    expect(await statusOf(closed, path, 'localhost')).toBe(200);
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

/** Of a request as it is written, with whatever path and name of the host. */
async function statusOf({ url }: FakeForge, path: string, host: string): Promise<number | undefined> {
  const request = get(url, { path, headers: { host } });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

/** What `git push` sends: a line with a wish, and a pack of nothing. */
function packetsOf(line: string): Buffer {
  const head = Buffer.from(`PACK\0\0\0\u0002\0\0\0\0`, 'latin1');
  const length = (Buffer.byteLength(line) + 4).toString(16).padStart(4, '0');
  return Buffer.concat([Buffer.from(`${length}${line}0000`), head, createHash('sha1').update(head).digest()]);
}

function annotation(): object {
  return { path: 'a.js', start_line: 1, end_line: 1, annotation_level: 'failure', message: 'm' };
}
