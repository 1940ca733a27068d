import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { FAKE_TOKEN, TinyProcess, waitUntil } from '../tiny-service/tiny-process.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;

async function json(url: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(url, init);
  const body: Record<string, unknown> = JSON.parse(await answer.text());
  return { status: answer.status, body };
}

const postEcho = (base: string) =>
  json(`${base}/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: PARENT },
    body: '{"a":1}',
  });

describe('a running service', () => {
  it('answers probes, and says which check fails without showing credentials', async () => {
    await using tiny = new TinyProcess();
    const base = await tiny.ready();

    expect(await json(`${base}/healthz`)).toMatchObject({ status: 200, body: { status: 'alive', service: 'tiny' } });
    expect(await json(`${base}/readyz`)).toMatchObject({
      status: 200,
      body: { status: 'ready', checks: [{ name: 'database', state: 'ok' }] },
    });

    tiny.child.send('break');
    await waitUntil('the check fails', async () => (await fetch(`${base}/readyz`)).status === 503);
    const { body } = await json(`${base}/readyz`);
    expect(body).toMatchObject({ status: 'not_ready', checks: [{ name: 'database', state: 'failed' }] });
    expect(JSON.stringify(body)).not.toContain('hunter2');
    expect(tiny.events('readiness-changed')).toMatchObject([{ level: 'warn', status: 'not_ready' }]);

    tiny.child.send('mend');
    await waitUntil('the check passes again', async () => (await fetch(`${base}/readyz`)).status === 200);
  });

  it('shows its metrics in the Prometheus text format on the same listener', async () => {
    await using tiny = new TinyProcess();
    const base = await tiny.ready();
    await json(`${base}/echo/hello`);
    await waitUntil('the request is measured', async () => {
      const text = await (await fetch(`${base}/metrics`)).text();
      return text.includes('http_server_request_duration_count{http_request_method="GET",http_route="/echo/:word"');
    });

    const answer = await fetch(`${base}/metrics`);
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toContain('delta_runs_created_total{trigger="push"} 1');
    expect(text).toMatch(/^process_cpu_time_total\{cpu_mode="user"\} [\d.]+$/m);
    expect(text).toMatch(/^process_memory_usage \d+$/m);
    expect(text).toMatch(/^nodejs_eventloop_delay_p99 [\d.e-]+$/m);
    expect(text).toMatch(/^target_info\{.*service_name="tiny"/m);
    expect(text).not.toContain('/metrics"');
  });

  it('continues the trace of a request through the body parser, the handler, the log and the exported spans', async () => {
    await using tiny = new TinyProcess({ DELTA_TRACE_EXPORTER: 'console', DELTA_LOG_LEVEL: 'debug' });
    const base = await tiny.ready();

    const { body } = await postEcho(base);
    expect(String(body['traceparent'])).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));

    tiny.child.kill('SIGTERM');
    await tiny.exited;
    const spans = tiny.events('span').filter(({ trace_id }) => trace_id === TRACE);
    const request = spans.find(({ span }) => span === 'POST /echo');
    const handler = spans.find(({ span }) => span === 'handle-body');
    expect(request).toMatchObject({ parent_span_id: 'b7ad6b7169203331' });
    expect(handler).toMatchObject({ parent_span_id: request?.['span_id'] });
    expect(tiny.events('request-answered')).toMatchObject([{ trace_id: TRACE, route: '/echo', status: 201 }]);
  });

  it('has trace ids to pass on even when nothing is exported', async () => {
    await using tiny = new TinyProcess();
    const { body } = await postEcho(await tiny.ready());
    expect(String(body['traceparent'])).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  });

  it('sends its spans to a collector before it exits, without the credentials in them', async () => {
    const received: { url: string | undefined; body: string }[] = [];
    const collector = createServer((request, reply) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        received.push({ url: request.url, body });
        reply.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    collector.listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const address = collector.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;

    await using tiny = new TinyProcess({
      DELTA_TRACE_EXPORTER: 'otlp',
      DELTA_TRACE_ENDPOINT: `http://127.0.0.1:${port}/v1/traces`,
    });
    await postEcho(await tiny.ready());
    tiny.child.kill('SIGTERM');
    expect(await tiny.exited).toEqual({ code: 0, signal: null });
    collector.closeAllConnections();
    collector.close();

    const sent = received.map(({ body }) => body).join('\n');
    expect(received[0]?.url).toBe('/v1/traces');
    expect(sent).toContain(TRACE);
    expect(sent).toContain('handle-body');
    expect(sent).toContain('[redacted]');
    expect(sent).not.toContain('fake0fake1');
  });

  it('never prints a secret', async () => {
    await using tiny = new TinyProcess({ DELTA_LOG_LEVEL: 'trace' });
    await tiny.ready();
    expect(tiny.events('credentials')).toMatchObject([{ note: 'token is [redacted]', token: '[redacted]' }]);
    expect(tiny.stdout + tiny.stderr).not.toContain(FAKE_TOKEN);
  });

  it('tells a supervisor over the file descriptor it named', async () => {
    await using tiny = new TinyProcess({ DELTA_READY_FD: '4' });
    let told = '';
    const pipe = tiny.child.stdio[4];
    pipe?.on('data', (chunk: Buffer) => (told += chunk.toString()));
    const [message] = await once(tiny.child, 'message');
    await waitUntil('the descriptor has spoken', () => told.endsWith('\n'));
    expect(message).toEqual({ ready: true, port: expect.any(Number) });
    expect(JSON.parse(told)).toEqual(message);
  });
});

describe('the end of a service', () => {
  it('is announced as not ready, lets work and requests finish, closes in reverse order and exits 0', async () => {
    await using tiny = new TinyProcess({ DELTA_HOLD_WORK: 'true' });
    const base = await tiny.ready();
    const slow = json(`${base}/slow`);
    await waitUntil('the slow request is being handled', () => tiny.events('slow-begun').length === 1);

    tiny.child.kill('SIGTERM');
    await waitUntil('the service drains', async () => (await fetch(`${base}/readyz`)).status === 503);
    expect((await json(`${base}/readyz`)).body).toMatchObject({ status: 'draining' });

    tiny.child.send('finish');
    expect(await slow).toEqual({ status: 200, body: { done: true } });
    expect(await tiny.exited).toEqual({ code: 0, signal: null });
    expect(tiny.events('closed').map(({ resource }) => resource)).toEqual(['work', 'http', 'bus', 'database']);
    expect(tiny.events('stopped')).toMatchObject([{ reason: 'SIGTERM', unfinished: [] }]);
  });

  it('comes in bounded time, and names what was not finished', async () => {
    await using tiny = new TinyProcess({ DELTA_HOLD_WORK: 'true', DELTA_SHUTDOWN_GRACE_MS: '100' });
    await tiny.ready();
    tiny.child.kill('SIGINT');
    expect(await tiny.exited).toEqual({ code: 1, signal: null });
    expect(tiny.events('stopped')).toMatchObject([{ unfinished: ['work'] }]);
    expect(tiny.events('closed').map(({ resource }) => resource)).toEqual(['http', 'bus', 'database']);
  });

  it('cuts requests that outlast the grace period', async () => {
    await using tiny = new TinyProcess({ DELTA_SHUTDOWN_GRACE_MS: '200' });
    const base = await tiny.ready();
    const slow = fetch(`${base}/slow`).then(
      () => 'answered',
      () => 'cut',
    );
    await waitUntil('the slow request is being handled', () => tiny.events('slow-begun').length === 1);
    tiny.child.kill('SIGTERM');
    expect(await slow).toBe('cut');
    expect(await tiny.exited).toEqual({ code: 0, signal: null });
    expect(tiny.events('closed').map(({ resource }) => resource)).toEqual(['work', 'http', 'bus', 'database']);
  });

  it('is immediate at the second signal', async () => {
    await using tiny = new TinyProcess({ DELTA_HOLD_WORK: 'true' });
    await tiny.ready();
    tiny.child.kill('SIGTERM');
    await waitUntil('the first signal is heard', () => tiny.events('stopping').length === 1);
    tiny.child.kill('SIGTERM');
    expect(await tiny.exited).toEqual({ code: 143, signal: null });
    expect(tiny.events('stopped')).toEqual([]);
  });

  it('is loud when a promise is rejected and nobody cares', async () => {
    await using tiny = new TinyProcess();
    await tiny.ready();
    tiny.child.send('reject');
    expect(await tiny.exited).toEqual({ code: 1, signal: null });
    expect(tiny.events('crashed')).toMatchObject([
      { level: 'fatal', by: 'unhandledRejection', err: { message: 'nobody caught this' } },
    ]);
  });

  it('follows the parent when the supervisor asked for that', async () => {
    await using tiny = new TinyProcess({ DELTA_EXIT_WITH_PARENT: '1' });
    await tiny.ready();
    tiny.child.disconnect();
    expect(await tiny.exited).toEqual({ code: 0, signal: null });
    expect(tiny.events('stopping')).toMatchObject([{ reason: 'the parent process is gone' }]);
  });
});

describe('a service that cannot start', () => {
  it('lists every problem of its configuration at once and exits 78', async () => {
    await using tiny = new TinyProcess({
      DELTA_API_TOKEN: 'short',
      DELTA_HTTP_PORT: '99999',
      DELTA_LOG_LEVEL: 'loud',
    });
    expect(await tiny.exited).toEqual({ code: 78, signal: null });
    expect(tiny.stderr.trim().split('\n')).toEqual([
      'tiny cannot start, its configuration has 3 problem(s):',
      '  DELTA_HTTP_PORT is "99999", expected a whole number from 0 to 65535',
      '  DELTA_LOG_LEVEL is "loud", expected one of fatal, error, warn, info, debug, trace',
      '  DELTA_API_TOKEN is (secret), expected a secret of at least 12 characters',
    ]);
  });

  it('closes what it had opened, says why and exits 1', async () => {
    await using tiny = new TinyProcess({ DELTA_FAIL_START: 'yes' });
    expect(await tiny.exited).toEqual({ code: 1, signal: null });
    expect(tiny.events('start-failed')).toMatchObject([{ level: 'fatal', err: { message: 'the cellar is flooded' } }]);
    expect(tiny.events('closed').map(({ resource }) => resource)).toEqual(['bus', 'database']);
    expect(tiny.events('ready')).toEqual([]);
  });
});
