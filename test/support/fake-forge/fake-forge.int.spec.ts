import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeForge } from './fake-forge.ts';

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

function annotation(): object {
  return { path: 'a.js', start_line: 1, end_line: 1, annotation_level: 'failure', message: 'm' };
}
