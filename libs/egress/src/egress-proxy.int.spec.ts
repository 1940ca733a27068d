import { once } from 'node:events';
import { createServer as createHttpServer, request, type IncomingMessage, type RequestListener } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls, createServer as createTlsServer, type PSKCallbackNegotation } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { EgressDecision } from '@delta-ci/contracts';
import { readAllowList } from './allow-list.ts';
import { EgressProxy, type EgressProxyOptions } from './egress-proxy.ts';
import { readRanges } from './judge-address.ts';
import { DEFAULT_EGRESS_LIMITS, type EgressLimits } from './settings.ts';

const HOST = 'registry.example.org';
const toClose: (() => void)[] = [];
afterEach(() => toClose.splice(0).forEach((close) => close()));

async function listening<S extends Server>(server: S): Promise<{ server: S; port: number }> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  toClose.push(() => {
    server.close();
    open.forEach((socket) => socket.destroy());
  });
  return { server, port: (server.address() as AddressInfo).port };
}

const web = (listener: RequestListener) => listening(createHttpServer(listener));
const echo = () => listening(createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)));

type Given = Partial<Omit<EgressProxyOptions, 'limits'>> & { allow: readonly string[]; limits?: Partial<EgressLimits> };

/** A proxy as a job finds it: a port of the loopback. The range of the servers of these specs is permitted. */
async function proxyFor({ allow, limits, ...over }: Given) {
  const told: EgressDecision[] = [];
  const proxy = new EgressProxy({
    policy: {
      job: readAllowList(allow).list,
      runner: readAllowList(allow).list,
      permittedRanges: readRanges(['127.0.0.1']),
      ownAddresses: readRanges([]),
    },
    limits: { ...DEFAULT_EGRESS_LIMITS, ...limits },
    resolve: async () => ['127.0.0.1'],
    upstream: null,
    onDecision: (decision) => told.push(decision),
    ...over,
  });
  const { port } = await listening(createServer((socket) => proxy.accept(socket)));
  toClose.push(() => proxy.close());
  return { proxy, port, told };
}

/** Says something to the proxy and answers all that comes back until it ends. */
async function say(port: number, words: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.write(words);
  return text(socket);
}

async function get(
  port: number,
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: string }> {
  const asking = request({ port, host: '127.0.0.1', path: url, headers, agent: false }).end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: await text(response) };
}

/** A tunnel that stands; rejects with the status otherwise. */
async function tunnelTo(port: number, authority: string): Promise<Socket> {
  const asking = request({ port, host: '127.0.0.1', method: 'CONNECT', path: authority, agent: false }).end();
  const [response, socket] = (await once(asking, 'connect')) as [IncomingMessage, Socket];
  if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${await text(socket)}`);
  socket.on('error', () => undefined);
  return socket;
}

/** TLS without certificates: both know a key. */
const PSK = { ciphers: 'PSK-AES128-GCM-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const key = Buffer.alloc(16, 7);
const known = { psk: key, identity: 'spec' } satisfies PSKCallbackNegotation;

const tlsThrough = (socket: Socket, servername: string) => {
  const client = connectTls({
    ...PSK,
    socket,
    servername,
    pskCallback: () => known,
    checkServerIdentity: () => undefined,
  });
  client.on('error', () => undefined);
  return client;
};

const whenClosed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()));

/** A proxy of an operator's, which leads everything to one port whatever is asked for. */
async function upstreamTo(port: number) {
  const heard: string[] = [];
  const server = createHttpServer((asked, answer) => {
    heard.push(`${asked.method} ${asked.url} ${asked.headers['proxy-authorization']}`);
    answer.end('by way of the upstream');
  });
  server.on('connect', (asked, near) => {
    heard.push(`CONNECT ${asked.url} ${asked.headers['proxy-authorization']}`);
    const far = connect({ port, host: '127.0.0.1' }, () => {
      near.write('HTTP/1.1 200 OK\r\n\r\n');
      near.pipe(far).pipe(near);
    });
    far.on('error', () => near.destroy());
  });
  const { port: own } = await listening(server);
  return { heard, upstream: { host: '127.0.0.1', port: own, authorization: 'Basic fake' } };
}

const decided = ({ proxy }: { proxy: EgressProxy }): string[] =>
  proxy.decisions().map(({ host, decision, reason, count }) => `${host} ${decision} ${reason} ${count}`);

describe('plain requests', () => {
  it('pass to a host on the list, with what they carry, and are counted', async () => {
    const { port } = await web((asked, answer) => {
      void text(asked).then((body) => {
        answer.writeHead(201, { 'X-Kept': 'yes' });
        const { host, 'proxy-authorization': password } = asked.headers;
        return answer.end([asked.method, asked.url, host, password, body].join(' '));
      });
    });
    const made = await proxyFor({ allow: [`${HOST}:${port}`] });
    const asking = request({
      port: made.port,
      host: '127.0.0.1',
      method: 'POST',
      path: `http://${HOST}:${port}/a?b`,
      headers: { Host: `${HOST}:${port}`, 'Proxy-Authorization': 'fake' },
      agent: false,
    });
    asking.end('body');
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    expect(response).toMatchObject({ statusCode: 201, headers: { 'x-kept': 'yes', connection: 'close' } });
    expect(await text(response)).toBe(`POST /a?b ${HOST}:${port}  body`);
    expect(made.proxy.decisions()).toMatchObject([{ host: HOST, port, decision: 'allowed', count: 1 }]);
    const head = ['POST /a?b HTTP/1.1', `Host: ${HOST}:${port}`, 'Connection: close', 'Content-Length: 4', ''];
    // The whole request: its head, and its body.
    expect(made.proxy.decisions()[0]?.sentBytes).toBe(`${head.join('\r\n')}\r\nbody`.length);
    expect(made.proxy.decisions()[0]?.receivedBytes).toBeGreaterThan(0);
  });

  it.each([
    ['another host', 'http://evil.example.org/', 'evil.example.org', 403, 'evil.example.org refused not-listed 1'],
    ['another host in its headers', `http://${HOST}/`, 'evil.example.org', 403, `${HOST} refused host-mismatch 1`],
    ['metadata', 'http://169.254.169.254/latest', '169.254.169.254', 403, '169.254.169.254 refused metadata-address 1'],
    ['no proxy', '/etc', HOST, 403, 'null refused not-http 1'],
    ['TLS in the clear', `https://${HOST}/`, HOST, 403, 'null refused not-http 1'],
    ['the port of TLS', `http://${HOST}:443/`, `${HOST}:443`, 403, `${HOST} refused not-tls 1`],
    ['a host with a password', `http://me:fake@${HOST}/`, HOST, 403, 'null refused not-http 1'],
  ])('for %s are refused', async (_, url, host, status, line) => {
    const made = await proxyFor({ allow: [HOST] });
    expect(await get(made.port, url, { Host: host })).toMatchObject({ status });
    expect(decided(made)).toEqual([line]);
  });

  it('keep their length whatever they say of it, and those behind the first of a connection lead nowhere', async () => {
    const lengths: unknown[] = [];
    const { port } = await web((asked, answer) => {
      lengths.push(asked.headers['content-length']);
      answer.end('heard');
    });
    const made = await proxyFor({ allow: [`${HOST}:${port}`] });
    const asking = (headers: string, body: string): string =>
      `GET http://${HOST}:${port}/ HTTP/1.1\r\nHost: ${HOST}:${port}\r\n${headers}\r\n${body}`;
    const hidden = asking('', '');
    const first = asking(`Connection: Content-Length\r\nContent-Length: ${hidden.length}\r\n`, hidden);
    expect(await say(made.port, first + hidden.repeat(50))).toContain('heard');
    expect(lengths).toEqual([String(hidden.length)]);
    expect(decided(made)).toEqual([`${HOST} allowed null 1`]);
  });

  it('through a tunnel to port 80 are judged like any other', async () => {
    const made = await proxyFor({ allow: [HOST] });
    const socket = await tunnelTo(made.port, `${HOST}:80`);
    socket.write('GET / HTTP/1.1\r\nHost: evil.example.org\r\n\r\n');
    expect(await text(socket)).toContain('403 Forbidden');
    expect(decided(made)).toEqual([`${HOST} refused host-mismatch 1`]);
  });

  it('that are none are refused', async () => {
    const made = await proxyFor({ allow: [HOST] });
    expect(await say(made.port, '\x16\x03\x01 this is no request\r\n\r\n')).toContain('400 Bad Request');
    expect(await say(made.port, `GET http://${HOST}/ HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`)).toContain('400');
    expect(decided(made)).toEqual(['null refused not-http 2']);
  });
});

describe('tunnels', () => {
  it('pass whatever is spoken to a port that the list names, and its end', async () => {
    const { port } = await echo();
    const made = await proxyFor({ allow: [`${HOST}:${port}`] });
    const socket = await tunnelTo(made.port, `${HOST}:${port}`);
    const sent = 'x'.repeat(1_000_000);
    socket.end(sent);
    expect(await text(socket)).toBe(sent);
    expect(made.proxy.decisions()).toEqual([
      { host: HOST, port, decision: 'allowed', reason: null, count: 1, sentBytes: 1_000_000, receivedBytes: 1_000_000 },
    ]);
  });

  it.each([
    ['not-listed', 'evil.example.org:443', ['127.0.0.1'], undefined],
    ['not-listed', `${HOST}:22`, ['127.0.0.1'], undefined],
    ['not-listed', '127.0.0.1:443', ['127.0.0.1'], undefined],
    ['metadata-address', '[::ffff:169.254.169.254]:80', [], undefined],
    ['private-address', '10.0.0.2:443', [], undefined],
    ['private-address', `${HOST}:443`, ['10.0.0.1'], '10.0.0.1'],
    ['private-address', `${HOST}:443`, ['127.0.0.1', '::1'], '::1'],
    ['metadata-address', `${HOST}:443`, ['127.0.0.1', '169.254.169.254'], '169.254.169.254'],
  ])('are refused as %s to %s at %j', async (reason, authority, addresses, address) => {
    const made = await proxyFor({ allow: [HOST, '10.0.0.2'], resolve: async () => addresses });
    await expect(tunnelTo(made.port, authority)).rejects.toThrow('403');
    expect(made.told).toMatchObject([{ decision: 'refused', reason }]);
    expect(made.told[0]?.address).toBe(address);
  });

  it('lead to the very address that was judged, whatever the name answers the next time', async () => {
    const { port } = await echo();
    const answers = [['127.0.0.1'], ['10.0.0.1']];
    const made = await proxyFor({ allow: [`${HOST}:${port}`], resolve: async () => answers.shift() ?? [] });
    const socket = await tunnelTo(made.port, `${HOST}:${port}`);
    socket.end('one');
    expect(await text(socket)).toBe('one');
    expect(answers).toEqual([['10.0.0.1']]);
    await expect(tunnelTo(made.port, `${HOST}:${port}`)).rejects.toThrow('403');
    expect(decided(made)).toEqual([`${HOST} allowed null 1`, `${HOST} refused private-address 1`]);
  });

  it('fail, and are not refused, where nothing is known or nothing answers', async () => {
    const gone = await echo();
    gone.server.close();
    await once(gone.server, 'close');
    const authority = `${HOST}:${gone.port}`;
    const made = await proxyFor({ allow: [authority] });
    await expect(tunnelTo(made.port, authority)).rejects.toThrow('502');
    const nameless = await proxyFor({ allow: [HOST], resolve: async () => Promise.reject(new Error('no such name')) });
    await expect(tunnelTo(nameless.port, `${HOST}:443`)).rejects.toThrow('502');
    expect([...decided(made), ...decided(nameless)]).toEqual([
      `${HOST} failed unreachable 1`,
      `${HOST} failed no-address 1`,
    ]);
  });

  it('pass TLS for the host they lead to, and no other', async () => {
    const { port } = await listening(
      createTlsServer({ ...PSK, pskCallback: () => key }, (socket) => socket.end('hello over TLS')),
    );
    const authority = `${HOST}:${port}`;
    const made = await proxyFor({ allow: [authority] });
    expect(await text(tlsThrough(await tunnelTo(made.port, authority), HOST))).toBe('hello over TLS');
    const other = tlsThrough(await tunnelTo(made.port, authority), 'evil.example.org');
    await whenClosed(other);
    expect(decided(made)).toEqual([`${HOST} allowed null 2`, `${HOST} refused server-name-mismatch 1`]);
  });
});

describe('by way of an upstream proxy', () => {
  it('TLS is held to the host of its tunnel, and nothing else passes to port 443', async () => {
    const { port } = await listening(
      createTlsServer({ ...PSK, pskCallback: () => key }, (socket) => socket.end('hello over TLS')),
    );
    const { upstream, heard } = await upstreamTo(port);
    const made = await proxyFor({ allow: [HOST], upstream });
    expect(await text(tlsThrough(await tunnelTo(made.port, `${HOST}:443`), HOST))).toBe('hello over TLS');
    await whenClosed(tlsThrough(await tunnelTo(made.port, `${HOST}:443`), 'evil.example.org'));
    const plain = await tunnelTo(made.port, `${HOST}:443`);
    plain.write('SSH-2.0-none\r\n');
    expect(await text(plain)).toBe('');
    await expect(tunnelTo(made.port, 'evil.example.org:443')).rejects.toThrow('403');
    expect(heard).toEqual(Array(3).fill(`CONNECT ${HOST}:443 Basic fake`));
    expect(decided(made)).toEqual([
      `${HOST} allowed null 1`,
      `${HOST} refused server-name-mismatch 1`,
      `${HOST} refused not-tls 1`,
      'evil.example.org refused not-listed 1',
    ]);
  });

  it('plain requests name their place whole', async () => {
    const { upstream, heard } = await upstreamTo(0);
    const made = await proxyFor({ allow: [HOST], upstream });
    expect(await get(made.port, `http://${HOST}/a`, { Host: HOST })).toMatchObject({ body: 'by way of the upstream' });
    expect(heard).toEqual([`GET http://${HOST}/a Basic fake`]);
  });

  it('an upstream that will not is told of', async () => {
    const { port } = await listening(
      createServer((socket) => socket.end('HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n')),
    );
    const upstream = { host: '127.0.0.1', port, authorization: null };
    const made = await proxyFor({ allow: [HOST], upstream });
    await expect(tunnelTo(made.port, `${HOST}:443`)).rejects.toThrow('502');
    expect(decided(made)).toEqual([`${HOST} failed unreachable 1`]);
  });
});

describe('a job that overdoes it', () => {
  it('is cut off when it does not say what it wants, or whom its TLS is for', async () => {
    const silent = await proxyFor({ allow: [HOST], limits: { greetingMs: 50 } });
    expect(await say(silent.port, `CONNECT ${HOST}:443 HTTP/1.1\r\n`)).toBe('');
    const { port } = await echo();
    const { upstream } = await upstreamTo(port);
    const half = await proxyFor({ allow: [HOST], upstream, limits: { greetingMs: 50 } });
    const socket = await tunnelTo(half.port, `${HOST}:443`);
    socket.write(Buffer.from([22, 3, 1]));
    expect(await text(socket)).toBe('');
    expect([...decided(silent), ...decided(half)]).toEqual(['null refused too-slow 1', `${HOST} refused too-slow 1`]);
  });

  it('has no more connections than it may have at once, and may have them again', async () => {
    const { port } = await echo();
    const authority = `${HOST}:${port}`;
    const made = await proxyFor({ allow: [authority], limits: { connections: 2 } });
    const held = [await tunnelTo(made.port, authority), await tunnelTo(made.port, authority)];
    expect(await say(made.port, 'x')).toBe('');
    held.forEach((socket) => socket.end());
    await Promise.all(held.map((socket) => text(socket)));
    expect((await tunnelTo(made.port, authority)).destroyed).toBe(false);
    expect(decided(made)).toEqual([`${HOST} allowed null 3`, 'null refused too-many-connections 1']);
  });

  it('moves no more bytes than it may, in any direction, and then nothing at all', async () => {
    const { port } = await echo();
    const authority = `${HOST}:${port}`;
    const made = await proxyFor({ allow: [authority], limits: { bytes: 500_000 } });
    const socket = await tunnelTo(made.port, authority);
    socket.end(Buffer.alloc(2_000_000));
    expect((await text(socket).catch(() => '')).length).toBeLessThan(500_000);
    expect(await say(made.port, `CONNECT ${authority} HTTP/1.1\r\n\r\n`)).toBe('');
    expect(decided(made)).toEqual([`${HOST} allowed null 1`, 'null refused too-many-bytes 1']);
  });

  it('asks a thousand hosts, and the report stays small', async () => {
    const made = await proxyFor({ allow: [HOST] });
    for (let at = 0; at < 10; at += 1) {
      const asked = Array.from({ length: 100 }, (_, each) => `CONNECT h${at}-${each}.example:443 HTTP/1.1\r\n\r\n`);
      await Promise.all(asked.map((words) => say(made.port, words)));
    }
    expect(made.proxy.decisions()).toHaveLength(100);
    expect(made.told).toHaveLength(99);
    expect(made.proxy.decisions().reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
  });

  it('has nothing left when the proxy is closed', async () => {
    const { port } = await echo();
    const made = await proxyFor({ allow: [`${HOST}:${port}`] });
    const socket = await tunnelTo(made.port, `${HOST}:${port}`);
    const ended = once(socket, 'close');
    socket.resume();
    made.proxy.close();
    await ended;
    expect(await say(made.port, 'x')).toBe('');
  });
});
