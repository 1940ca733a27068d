import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeForge } from '../../../../test/support/fake-forge/fake-forge.ts';
import type { CheckContent } from '../publications/publication.ts';
import { GitHubChecks } from './github-checks.ts';

const TOKEN = 'not-a-secret-token-of-a-forge';
const calls: string[] = [];
let directory: string;
let forge: FakeForge;
let checks: GitHubChecks;

const checksWith = (token: string, apiUrl = forge.apiUrl): GitHubChecks =>
  new GitHubChecks({
    apiUrl,
    token,
    timeoutMs: 5_000,
    nowMs: Date.now,
    onCall: ({ operation, result }) => calls.push(`${operation} ${result}`),
  });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'delta-checks-'));
  forge = await FakeForge.start({ directory, token: TOKEN });
  checks = checksWith(TOKEN);
});
afterAll(async () => {
  await forge.close();
  await rm(directory, { recursive: true, force: true });
});

const content = (headSha: string, over: Partial<CheckContent> = {}): CheckContent => ({
  name: 'delta-ci',
  externalId: `run_${'1'.repeat(32)}`,
  headSha,
  detailsUrl: 'https://delta.example/runs/1',
  status: 'completed',
  conclusion: 'failure',
  startedAtMs: 1_763_640_000_000,
  completedAtMs: 1_763_640_060_000,
  title: '1 of 2 jobs failed',
  summary: 'what failed',
  text: '',
  annotations: [],
  actions: [{ label: 'Rerun failed', description: 'Run what failed again', identifier: 'rerun-failed' }],
  ...over,
});

const remarks = (count: number): CheckContent['annotations'] =>
  Array.from({ length: count }, (_, index) => ({
    path: 'a.js',
    line: index + 1,
    level: 'failure' as const,
    title: 'adds',
    message: `remark ${index}`,
  }));

describe('checks at GitHub', () => {
  it('given a check that was created and updated, then it is found by its external id and shows what was sent last', async () => {
    const sha = 'a'.repeat(40);
    const queued = content(sha, { status: 'queued', conclusion: null, completedAtMs: null });
    const created = await checks.create('demo/shop', queued);
    if (!created.ok) throw new Error(created.failure.message);
    expect(await checks.list('demo/shop', sha)).toEqual({
      ok: true,
      value: [
        {
          id: created.value,
          externalId: queued.externalId,
          status: 'queued',
          conclusion: null,
          title: queued.title,
          summary: queued.summary,
        },
      ],
    });
    expect(await checks.update('demo/shop', created.value, content(sha))).toEqual(created);
    expect(forge.checkRuns('demo/shop', sha)).toMatchObject([{ status: 'completed', conclusion: 'failure' }]);
  });

  it.each([0, 1, 50, 51, 100, 100 + 20])(
    'given %d annotations, then each stands once, also after another update',
    async (count) => {
      const sha = count.toString(16).padStart(40, 'c');
      const wanted = content(sha, { annotations: remarks(count) });
      const created = await checks.create('demo/shop', wanted);
      if (!created.ok) throw new Error(created.failure.message);
      await checks.update('demo/shop', created.value, wanted);
      const lines = forge.checkRuns('demo/shop', sha)[0]?.annotations.map(({ start_line: line }) => line);
      expect(lines).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    },
  );

  it('given more than a page of checks, then all are listed', async () => {
    const sha = 'd'.repeat(40);
    for (let index = 0; index < 105; index += 1) {
      await checks.create('demo/shop', content(sha, { externalId: `check-${index}` }));
    }
    const listed = await checks.list('demo/shop', sha);
    expect(listed.ok && new Set(listed.value.map(({ externalId }) => externalId)).size).toBe(105);
  });

  it.each([
    [
      { status: 429, retryAfterSeconds: 7 },
      { kind: 'rate_limited', retryAfterMs: 7_000 },
    ],
    [
      { status: 403, retryAfterSeconds: 2 },
      { kind: 'rate_limited', retryAfterMs: 2_000 },
    ],
    [{ status: 429 }, { kind: 'rate_limited', retryAfterMs: 60_000 }],
    [{ status: 403 }, { kind: 'unauthorised' }],
    [{ status: 404 }, { kind: 'not_found' }],
    [{ status: 410 }, { kind: 'not_found' }],
    [{ status: 409 }, { kind: 'unavailable' }],
    [{ status: 422 }, { kind: 'refused' }],
    [{ status: 500 }, { kind: 'unavailable' }],
    [
      { status: 503, retryAfterSeconds: 3 },
      { kind: 'rate_limited', retryAfterMs: 3_000 },
    ],
  ])('given an answer of %p, then the failure is %p', async (sabotage, failure) => {
    forge.failNext(sabotage);
    expect(await checks.list('demo/shop', 'e'.repeat(40))).toMatchObject({ ok: false, failure });
    expect(calls.at(-1)).toBe(`list ${failure.kind}`);
  });

  it('given a wrong token, then it is unauthorised; given nobody there, then it is unavailable', async () => {
    const sha = 'f'.repeat(40);
    expect(await checksWith('wrong').list('demo/shop', sha)).toMatchObject({ failure: { kind: 'unauthorised' } });
    // Port 1 is nobody's.
    const nobody = checksWith(TOKEN, 'http://127.0.0.1:1');
    expect(await nobody.create('demo/shop', content(sha))).toMatchObject({ failure: { kind: 'unavailable' } });
  });

  it('given that no call is ours to make now, then none is sent', async () => {
    const idle = new GitHubChecks({
      apiUrl: forge.apiUrl,
      token: TOKEN,
      timeoutMs: 5_000,
      nowMs: Date.now,
      mayCall: () => false,
    });
    const before = forge.calls.length;
    expect(await idle.list('demo/shop', 'f'.repeat(40))).toMatchObject({ failure: { kind: 'unavailable' } });
    expect(forge.calls).toHaveLength(before);
  });

  it('given content that the forge does not take, then it is refused', async () => {
    const bad = content('1'.repeat(40), { actions: [{ label: 'x'.repeat(30), description: 'd', identifier: 'i' }] });
    expect(await checks.create('demo/shop', bad)).toMatchObject({ ok: false, failure: { kind: 'refused' } });
  });
});
