import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MomentView, RunView, refuse, REFUSALS, type RefusalCode } from '@delta-ci/contracts';
import { aReport } from '../../../../test/support/made-up/completion-report.ts';
import { expectGolden } from '../golden.fixture.ts';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';
import { paintFor } from '../screen/paint.ts';

const RUN_ID = `run_${'1'.repeat(32)}`;
const AT = 1_760_000_000_000;
const TOKEN = 'not-a-secret-token';

const SUMMARY = {
  runId: RUN_ID,
  repository: {
    id: 'github/demo/shop',
    forge: 'github',
    fullName: 'demo/shop',
    cloneUrl: 'https://forge.example.test/demo/shop.git',
    defaultBranch: 'main',
  },
  change: {
    kind: 'push',
    ref: 'refs/heads/main',
    base: null,
    head: 'a'.repeat(40),
    targetRef: null,
    pullRequest: null,
    title: 'money: subtract\u001b[2J amounts',
    author: 'demo',
    trust: 'trusted',
  },
  actor: { kind: 'forge-user', name: 'demo' },
  state: 'running',
  outcome: null,
  reason: '',
  createdAtMs: AT - 5 * 60_000,
  startedAtMs: AT - 60_000,
  finishedAtMs: null,
  reported: false,
  supersededBy: null,
  rerun: null,
  planDigest: null,
  summary: '1 of 2 jobs runs.',
  jobCounts: { active: 1 },
} as const;

const RUNNING = RunView.parse({
  ...SUMMARY,
  position: 7,
  jobs: [
    {
      key: 'test-cart',
      title: 'test cart',
      kind: 'test',
      unit: null,
      needs: [],
      required: true,
      shadow: false,
      state: 'active',
      outcome: null,
      reason: '',
      sentence: 'test-cart runs because money changed.',
      attempts: [],
    },
  ],
  skipped: [{ key: 'test-greeting', title: 'test greeting', unit: null, sentence: 'nothing reaches greeting.' }],
  planning: null,
  publications: [],
  checkpoint: { position: 8, time: '2026-11-20T10:00:00.000Z', keyId: 'c'.repeat(32) },
});
const WAITS = {
  reason: 'no-runner-free',
  needs: [],
  mismatches: [],
  capacity: ['max 1: 2 would be used'],
  sentence: 'test-cart waited because the only runner of pool default that could take it was busy\u001b[2J.',
} as const;

const MOMENT = MomentView.parse({
  position: 1_200,
  atMs: AT,
  runs: [
    {
      runId: RUN_ID,
      repositoryId: 'github/demo/shop',
      ref: 'refs/heads/main',
      state: 'running',
      createdAtMs: AT - 90_000,
      jobCounts: { active: 2 },
    },
  ],
  queue: [
    {
      runId: RUN_ID,
      jobKey: 'test-cart',
      attempt: 1,
      pool: 'default',
      priority: 0,
      waitingSinceMs: AT - 2_500,
      why: WAITS,
    },
  ],
  leases: [
    {
      runId: RUN_ID,
      jobKey: 'test-money',
      attempt: 1,
      runnerId: `rnr_${'3'.repeat(32)}`,
      state: 'active',
      grantedAtMs: AT - 61_000,
    },
  ],
  runners: [
    { runnerId: `rnr_${'3'.repeat(32)}`, name: 'runner-3', pool: 'default', registeredAtMs: AT - 99_000, busy: true },
  ],
  pools: [
    {
      pool: 'default',
      queued: 1,
      runners: 1,
      busy: 1,
      decision: { desired: 1, sentence: 'Pool default: hold at 1 of 1 wanted.', decidedAtMs: AT - 500 },
    },
  ],
  nextCursor: `${AT - 90_000}.${RUN_ID}`,
});
const FINISHED = { ...RUNNING, position: 9, state: 'finished', outcome: 'failed', finishedAtMs: AT };

const PARKED = {
  sequence: 12,
  parkedAt: new Date(AT - 3 * 60_000).toISOString(),
  reason: 'not a CloudEvent\u001b[2J',
  stream: 'REPORTS',
  consumer: 'orchestrator',
  subject: 'delta.reports.planner.plan-proposed.x',
  deliveries: 1,
  sizeBytes: 8,
  text: 'not JSON',
};

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let server: Server;
let url = '';
let asked: Asked[] = [];
let answer: (asked: Asked, response: ServerResponse) => void = () => undefined;

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      asked.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const json = (status: number, value: unknown) => (_asked: Asked, response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
const refusal = (code: RefusalCode, message: string) => json(REFUSALS[code].status, { error: refuse(code, message) });

async function called(...args: string[]): Promise<{ exitCode: number; out: string; err: string }> {
  const { surroundings, out, err } = recorded('/', { DELTA_GATEWAY_URL: url, DELTA_TOKEN: TOKEN });
  const exitCode = await delta(args, surroundings);
  return { exitCode, out: out(), err: err().replaceAll(url, 'http://gateway') };
}

describe('asking a gateway', () => {
  it('when runs are listed, then filters and the token are sent and a table comes back', async () => {
    answer = json(200, { runs: [SUMMARY], nextCursor: 'more-of-it' });
    const { exitCode, out } = await called('runs', 'list', '--repository', 'github/demo/shop', '--limit', '5');
    expect(exitCode).toBe(0);
    expectGolden('runs-list', out);
    expect(asked[0]?.url).toBe('/api/v1/runs?repository=github%2Fdemo%2Fshop&limit=5');
    expect(asked[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it('when a run is viewed, then its jobs are shown; with --json, the view itself', async () => {
    answer = json(200, RUNNING);
    expectGolden('runs-view', (await called('runs', 'view', RUN_ID)).out);
    expect(JSON.parse((await called('runs', 'view', RUN_ID, '--json')).out)).toEqual(RUNNING);
  });

  it('when a run is canceled or run again, then it is asked for once, with a key', async () => {
    answer = json(202, { runId: RUN_ID });
    expect((await called('runs', 'cancel', RUN_ID, '--reason', 'mistake')).exitCode).toBe(0);
    expect((await called('runs', 'rerun', RUN_ID, '--failed')).exitCode).toBe(0);
    expect(asked.map(({ method, url: path, body }) => [method, path, JSON.parse(body) as unknown])).toEqual([
      ['POST', `/api/v1/runs/${RUN_ID}/cancel`, { reason: 'mistake' }],
      ['POST', `/api/v1/runs/${RUN_ID}/rerun`, { only: 'failed' }],
    ]);
    expect(asked.every(({ headers }) => typeof headers['idempotency-key'] === 'string')).toBe(true);
  });

  it('when parked messages are listed, then nothing in them reaches the terminal raw, and the next page is named', async () => {
    const page = { messages: [PARKED, { ...PARKED, sequence: 15 }], nextSequence: 16 };
    answer = json(200, page);
    const { exitCode, out } = await called('parked', 'list', '--from', '12', '--limit', '2');
    expect(exitCode).toBe(0);
    expectGolden('parked-list', out);
    expect(asked[0]?.url).toBe('/api/v1/parked?from=12&limit=2');
    expect(JSON.parse((await called('parked', 'list', '--json')).out)).toEqual(page);
  });

  it('when a parked message is retried or dropped, then it is asked for once, with the reason and a key', async () => {
    answer = (one, response) =>
      json(200, { sequence: 12, action: one.url.endsWith('drop') ? 'drop' : 'retry' })(one, response);
    const retried = await called('parked', 'retry', '12', '--reason', 'mended');
    expect(retried.out).toBe('message 12 is delivered again; if it fails again, it is parked under a new sequence\n');
    expect((await called('parked', 'drop', '12')).out).toBe('message 12 is forgotten\n');
    expect(asked.map(({ method, url: path, body }) => [method, path, JSON.parse(body) as unknown])).toEqual([
      ['POST', '/api/v1/parked/12/retry', { reason: 'mended' }],
      ['POST', '/api/v1/parked/12/drop', { reason: '' }],
    ]);
    expect(asked.every(({ headers }) => typeof headers['idempotency-key'] === 'string')).toBe(true);
    expect((await called('parked', 'drop', 'all')).exitCode).toBe(2);
  });

  it('when a run is watched, then it ends with the run, and with its outcome', async () => {
    let views = 0;
    answer = (one, response) => {
      if (!one.url.includes('/events')) {
        views += 1;
        return json(200, views === 1 ? RUNNING : FINISHED)(one, response);
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('id: 9\ndata: {}\n\n');
    };
    const { exitCode, out } = await called('runs', 'watch', RUN_ID);
    expect(exitCode).toBe(1);
    expectGolden('runs-watch', out);
  });

  it('when a run that is finished is watched, then its end is shown and nothing is waited for', async () => {
    answer = json(200, FINISHED);
    const { exitCode, out } = await called('runs', 'watch', RUN_ID);
    expect(exitCode).toBe(1);
    expect(out).toContain('run: failed');
    expect(asked).toHaveLength(1);
  });

  it('when a moment is asked for, then runs, queue, leases and pools are shown as they stood', async () => {
    answer = json(200, MOMENT);
    const { exitCode, out } = await called('at', '1200');
    expect(exitCode).toBe(0);
    expect(asked[0]?.url).toBe('/api/v1/at/1200?limit=100');
    expectGolden('at', out);
    await called('at', 'now');
    expect(asked[1]?.url).toMatch(/^\/api\/v1\/at\/\d{4}-\d\d-\d\dT[^?]*Z\?limit=100$/);
  });

  it('when it is asked why a job waited at a moment, then one sentence says so', async () => {
    const {
      runs: _runs,
      queue,
      leases: _leases,
      runners: _runners,
      pools: _pools,
      nextCursor: _cursor,
      ...when
    } = MOMENT;
    const job = { runId: RUN_ID, runState: 'running', runOutcome: null, jobKey: 'test-cart', state: 'active' };
    answer = json(200, { ...when, ...job, why: queue[0]?.why });
    const { exitCode, out } = await called('at', '2026-01-31T12:00:00Z', '--job', `${RUN_ID}/test-cart`);
    expect(exitCode).toBe(0);
    expect(asked[0]?.url).toBe(`/api/v1/at/2026-01-31T12%3A00%3A00Z/runs/${RUN_ID}/jobs/test-cart`);
    expectGolden('at-job', out);
    expect((await called('at', '5', '--job', 'nonsense')).exitCode).toBe(2);
  });

  it('when a mesh runs from a folder above at a port of its own, then it is the one asked', async () => {
    const checkout = await mkdtemp(join(tmpdir(), 'delta-cli-'));
    try {
      await mkdir(join(checkout, '.delta'));
      await mkdir(join(checkout, 'apps'));
      await writeFile(join(checkout, '.delta', 'mesh.json'), JSON.stringify({ pid: 1, gatewayUrl: url }));
      answer = json(200, { runs: [], nextCursor: null });
      const { surroundings, out } = recorded(join(checkout, 'apps'), { DELTA_TOKEN: TOKEN });
      expect(await delta(['runs', 'list'], surroundings)).toBe(0);
      expect(out()).toBe('no runs\n');
      await writeFile(join(checkout, '.delta', 'mesh.json'), '{');
      const broken = recorded(checkout, { DELTA_TOKEN: TOKEN });
      expect(await delta(['runs', 'list'], broken.surroundings)).toBe(2);
      expect(broken.err()).toContain('does not say where the mesh listens');
    } finally {
      await rm(checkout, { recursive: true });
    }
  });

  it('when a file of a mesh leads to another host, then nobody there is shown the token', async () => {
    const checkout = await mkdtemp(join(tmpdir(), 'delta-cli-'));
    try {
      await mkdir(join(checkout, '.delta'));
      const gatewayUrl = url.replace('127.0.0.1', 'localhost');
      await writeFile(join(checkout, '.delta', 'mesh.json'), JSON.stringify({ pid: 1, gatewayUrl }));
      const { surroundings, err } = recorded(checkout, { DELTA_TOKEN: TOKEN });
      expect(await delta(['runs', 'list'], surroundings)).toBe(2);
      expect(err()).toContain('does not say where the mesh listens on this machine');
      expect(asked).toEqual([]);
    } finally {
      await rm(checkout, { recursive: true });
    }
  });

  it('when a log is followed and the connection breaks, then it goes on where it was', async () => {
    const chunk = (offset: number, text: string): string =>
      `event: log\nid: ${offset + text.length}\ndata: ${JSON.stringify({ offset, nextOffset: offset + text.length, line: 1, text })}\n\n`;
    answer = (one, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (one.url.includes('offset=0')) response.end(chunk(0, 'one\u001b]0;x\u0007\ntw'));
      else response.end(`${chunk(12, 'o\n')}event: end\nid: 14\ndata: {"attempt":2,"outcome":"succeeded"}\n\n`);
    };
    const { exitCode, out, err } = await called('logs', RUN_ID, 'test-cart', '-f');
    expect({ exitCode, out, err }).toEqual({
      exitCode: 0,
      out: 'one\u001b]0;x\u0007\ntwo\n',
      err: 'attempt 2: succeeded\n',
    });
    expect(asked[1]?.url).toContain('offset=12');
  });

  it('when a log is followed and the gateway restarts meanwhile, then it is waited for', async () => {
    const event = (of: string, data: object): string => `event: ${of}\ndata: ${JSON.stringify(data)}\n\n`;
    const answers = [
      (response: ServerResponse) => response.end(event('log', { offset: 0, nextOffset: 4, line: 1, text: 'one\n' })),
      (response: ServerResponse) => response.destroy(),
      (response: ServerResponse) => response.writeHead(503).end(),
      (response: ServerResponse) => response.end(event('end', { attempt: 1, outcome: 'succeeded' })),
    ];
    answer = (_one, response) => void answers.shift()?.(response);
    expect(await called('logs', RUN_ID, 'test-cart', '-f')).toMatchObject({ exitCode: 0, out: 'one\n' });
    expect(asked.map((one) => /offset=\d/.exec(one.url)?.[0])).toEqual([
      'offset=0',
      'offset=4',
      'offset=4',
      'offset=4',
    ]);
  });

  it('when a log is read on a terminal, then colours are all that is obeyed; piped and with --raw it is as it was written', async () => {
    const written = Buffer.from([...Buffer.from('\u001b[31ma\u001b[2Jb\u0007\n'), 0xff, 0x0a]);
    answer = (_one, response) => void response.end(written);
    const onTerminal = (...args: string[]) => {
      const { surroundings, out } = recorded('/', { DELTA_GATEWAY_URL: url, DELTA_TOKEN: TOKEN }, 80);
      return delta(['logs', RUN_ID, 'test-cart', ...args], { ...surroundings, paint: paintFor(true, {}) }).then(out);
    };
    expect(await onTerminal()).toBe('\u001b[31mab\u2407\u001b[0m\n\ufffd\n');
    const raw = written.toString('utf8');
    expect([await onTerminal('--raw'), (await called('logs', RUN_ID, 'test-cart')).out]).toEqual([raw, raw]);
  });

  const NEVER_BEGAN = {
    attempt: 2,
    state: 'finished',
    outcome: 'failed',
    failureClass: 'tooling',
    reason: 'the job asks for what it is not offered (not-offered)',
    runnerId: null,
    pool: 'default',
    queuedAtMs: AT,
    leasedAtMs: null,
    startedAtMs: null,
    finishedAtMs: AT,
    report: aReport('failed', { infrastructureError: { code: 'not_offered', message: 'no NPM_TOKEN\u001b[2J' } }),
    artifacts: [],
    explanation: null,
  } as const;
  it.each([
    [
      'one that never began',
      [NEVER_BEGAN],
      'attempt 2 of test-cart has no log, because nothing of it ran: no NPM_TOKEN\u241b[2J\n',
    ],
    [
      'one that just printed nothing',
      [{ ...NEVER_BEGAN, report: aReport('failed'), reason: 'a step exited with a failure (exit-code)' }],
      'attempt 2 of test-cart has printed nothing: a step exited with a failure (exit-code)\n',
    ],
    [
      'one that runs',
      [{ ...NEVER_BEGAN, state: 'running', outcome: null, report: null }],
      'attempt 2 of test-cart has printed nothing so far (running)\n',
    ],
    ['none', [], 'test-cart has no log: no attempt of it has begun\n'],
  ])('when the log of an attempt is empty (%s), then it is said why', async (_, attempts, said) => {
    const [job] = RUNNING.jobs;
    const view = json(200, { ...RUNNING, jobs: [{ ...job, attempts }] });
    answer = (one, response) => (one.url.includes('/log') ? void response.end() : view(one, response));
    expect(await called('logs', RUN_ID, 'test-cart')).toEqual(
      expect.objectContaining({ exitCode: 0, out: '', err: said }),
    );
  });

  it('when some lines are asked for and there are none, then nothing is said of the rest', async () => {
    answer = (_one, response) => void response.end();
    for (const part of [
      ['--tail', '0'],
      ['--lines', '900-'],
    ])
      expect(await called('logs', RUN_ID, 'test-cart', ...part)).toMatchObject({ exitCode: 0, out: '', err: '' });
    expect(asked.every((one) => one.url.includes('/log?'))).toBe(true);
  });

  it.each([
    [['test-cart', '--lines', '120-121'], 'lines=120-121'],
    [['test-cart#L120-L121'], 'lines=120-121'],
    [['test-cart#L120'], 'lines=120'],
    [['test-cart', '--tail', '2', '--attempt', '3'], 'attempt=3&tail=2'],
  ])('when lines are asked for (%j), then they are, and JSON tells their numbers', async (args, query) => {
    answer = (_one, response) => void response.setHeader('x-delta-lines', '120-121/500').end('one\ntwo\n');
    const { out } = await called('logs', RUN_ID, ...args, '--json');
    expect(out).toBe('{"type":"output","line":120,"text":"one"}\n{"type":"output","line":121,"text":"two"}\n');
    expect(asked[0]?.url).toBe(`/api/v1/runs/${RUN_ID}/jobs/test-cart/log?${query}&follow=0`);
  });

  it.each([
    [['test-cart', '--lines', '1', '--tail', '2']],
    [['test-cart#L1', '--tail', '2']],
    [['test-cart#L1', '-f']],
  ])('when it is not clear which lines are meant (%j), then nothing is asked', async (args) => {
    expect((await called('logs', RUN_ID, ...args)).exitCode).toBe(2);
    expect(asked).toEqual([]);
  });
});

describe('a gateway that does not do what it is asked', () => {
  it.each([
    ['error-unauthenticated', 2, () => refusal('unauthenticated', 'no valid token was sent')],
    ['error-forbidden', 2, () => refusal('forbidden', 'the token may only read')],
    ['error-not-found', 2, () => refusal('not_found', `run ${RUN_ID}\u001b[2J`)],
    ['error-unavailable', 3, () => refusal('unavailable', 'not ready')],
    ['error-no-gateway', 3, () => json(200, { hello: 'world' })],
    ['error-html', 3, () => (_one: Asked, response: ServerResponse) => void response.writeHead(502).end('<html>')],
  ])('%s is told, with what to do', async (name, exitCode, make) => {
    answer = make();
    const told = await called('runs', 'view', RUN_ID);
    expect(told.exitCode).toBe(exitCode);
    expectGolden(name, told.err);
  });

  it('given nobody who listens, then it asks whether it is running', async () => {
    await new Promise((done) => server.close(done));
    const told = await called('runs', 'list');
    expect(told.exitCode).toBe(3);
    expectGolden('error-connection-refused', told.err);
  });
});

describe('the token', () => {
  it('given a mesh in a folder above, then the token of its administrator is used', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'delta-cli-'));
    try {
      await mkdir(join(directory, '.delta', 'gateway'), { recursive: true });
      await mkdir(join(directory, 'deep', 'down'), { recursive: true });
      await writeFile(join(directory, '.delta', 'gateway', 'admin-token'), `${TOKEN}-of-the-mesh\n`);
      answer = json(200, { runs: [], nextCursor: null });
      const { surroundings, out } = recorded(join(directory, 'deep', 'down'));
      expect(await delta(['runs', 'list', '--url', url], surroundings)).toBe(0);
      expect(out()).toBe('no runs\n');
      expect(asked[0]?.headers.authorization).toBe(`Bearer ${TOKEN}-of-the-mesh`);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
