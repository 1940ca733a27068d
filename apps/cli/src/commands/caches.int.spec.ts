import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CachePage, CacheResult } from '@delta-ci/contracts';
import { expectGolden } from '../golden.fixture.ts';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';
import { cachesText } from '../screen/caches-text.ts';

const AT = 1_760_000_000_000;
const MIB = 1_024 ** 2;
const saved = {
  runId: `run_${'1'.repeat(32)}`,
  jobKey: 'unit',
  attempt: 1,
  key: 'npm-packages-linux-node@24-4c20201d',
  repository: 'github/demo/shop',
  domain: 'trusted',
  digest: `sha256:${'d'.repeat(64)}`,
  sizeBytes: 34 * MIB,
  contentBytes: 180 * MIB,
  savedAtMs: AT - 5 * 60_000,
};
const PAGE = CachePage.parse({
  caches: [
    saved,
    { ...saved, key: 'hostile\u001b[2J', domain: 'ref:refs/pull/7/head', savedAtMs: AT - 86_400_000 * 3 },
  ],
  nextCursor: 'next',
});

describe('delta caches', () => {
  let server: Server;
  let url = '';
  let body: unknown;
  /** What is answered before `body` is. */
  let bodies: unknown[] = [];
  /** What `body` is answered with. */
  let lastStatus = 200;
  const asked: string[] = [];

  beforeEach(async () => {
    asked.length = 0;
    bodies = [];
    lastStatus = 200;
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const sent = await text(request);
      asked.push(`${request.method} ${request.url}${sent === '' ? '' : ` ${sent}`}`);
      const status = bodies.length > 0 ? 200 : lastStatus;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(bodies.shift() ?? body));
    };
    server = createServer((request, response) => void answer(request, response));
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => new Promise((done) => server.close(done)));

  async function called(...args: string[]): Promise<{ exitCode: number; out: string; err: string }> {
    const { surroundings, out, err } = recorded('/', { DELTA_GATEWAY_URL: url, DELTA_TOKEN: 'not-a-secret' });
    const exitCode = await delta(['caches', ...args], { ...surroundings, nowMs: () => AT });
    return { exitCode, out: out(), err: err() };
  }

  it('when they are listed, then sizes, domain and age are shown, and nothing of them reaches a terminal raw', async () => {
    body = PAGE;
    const { exitCode, out } = await called('list', '--repository', 'github/demo/shop');
    expect([exitCode, asked]).toEqual([0, ['GET /api/v1/caches?repository=github%2Fdemo%2Fshop&limit=50']]);
    expectGolden('caches-list', out);
    expect(JSON.parse((await called('list', '--json')).out)).toEqual(body);
    body = { caches: [], nextCursor: null };
    expect((await called('list')).out).toBe('no caches are kept\n');
  });

  it('when one is removed, then what went is told', async () => {
    body = { removed: [saved, { ...saved, domain: 'ref:refs/pull/7/head' }], more: false };
    const { exitCode, out } = await called('remove', 'k', '--repository', 'github/demo/shop', '--reason', 'of no use');
    expect([exitCode, asked]).toEqual([
      0,
      ['POST /api/v1/caches/remove {"repository":"github/demo/shop","key":"k","reason":"of no use"}'],
    ]);
    expect(out).toBe(
      '2 caches removed, of trusted, ref:refs/pull/7/head; the next job that misses one makes it again\n',
    );
    expect((await called('remove', 'k')).exitCode).toBe(2);
  });

  it('when more is kept than one request removes, then all of it goes, and not all of its domains are named', async () => {
    const many = Array.from({ length: 30 }, (_, at) => ({ ...saved, domain: `ref:refs/pull/${at}/head` }));
    bodies = [
      { removed: many, more: true },
      { removed: [saved], more: false },
    ];
    const { exitCode, out } = await called('remove', 'k', '--repository', 'github/demo/shop');
    expect([exitCode, asked.length]).toEqual([0, 2]);
    expect(out).toMatch(/^31 caches removed, of ref:refs\/pull\/0\/head, .*19\/head and 11 more; /);
  });

  it.each([
    ['the rest goes by its age meanwhile', 'not_found', 404, 0],
    ['a later request fails', 'internal', 500, 3],
  ])('when %s, then what went before is told all the same', async (_, code, status, expected) => {
    bodies = [{ removed: [saved], more: true }];
    body = { error: { code, message: 'no', details: {} } };
    lastStatus = status;
    const { exitCode, out, err } = await called('remove', 'k', '--repository', 'github/demo/shop');
    expect([exitCode, out]).toEqual([expected, expect.stringMatching(/^1 cache removed, of trusted; /)]);
    expect(err === '').toBe(expected === 0);
    const none = await called('remove', 'k', '--repository', 'github/demo/shop');
    expect([none.exitCode === 0, none.out]).toEqual([false, '']);
  });

  it('when a run is viewed, then each cache of its jobs is told in a line', () => {
    const way = { domain: 'trusted', sizeBytes: 34 * MIB, contentBytes: 180 * MIB, tookMs: 2_100 };
    const problem = { during: 'restore', code: 'store_unavailable', message: 'no answer' };
    const caches = [
      { key: 'hit', hit: true, restored: way },
      { key: 'saved', hit: false, saved: { ...way, domain: 'ref:refs/pull/7/head' } },
      { key: 'of a stranger', hit: false },
      { key: 'away', hit: false, problems: [problem] },
      { key: 'of a runner that tells less', hit: true },
    ].map((result) => CacheResult.parse(result));
    const failed = { outcome: 'failed', caches: [CacheResult.parse({ key: 'of a job that failed', hit: false })] };
    const jobs = [
      { key: 'unit', attempts: [{ report: null }, { report: { outcome: 'succeeded', caches } }] },
      { key: 'red', attempts: [{ report: failed }] },
    ];
    const { surroundings } = recorded('/', {}, 100);
    expectGolden('caches-of-a-run', cachesText(surroundings, jobs));
    expect(cachesText(surroundings, [])).toBe('');
  });
});
