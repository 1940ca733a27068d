import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { GitResult } from '../git-error.ts';
import { ask, type HttpTerms } from './guarded-http.ts';
import { fetchLfsObjects } from './lfs-server.ts';

const CONTENT = Buffer.from('content of an object');
const POINTER = { oid: createHash('sha256').update(CONTENT).digest('hex'), sizeBytes: CONTENT.length };

let server: Server;
let port: number;
let answer: RequestListener;
let heard: string[];
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'delta-lfs-'));
  server = createServer((request, response) => {
    heard.push(`${request.headers.host} ${request.url} ${request.headers.authorization ?? '-'}`);
    answer(request, response);
  });
  // On both addresses of loopback: the forge's own, and one that stands for a neighbour in its network.
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => {
  heard = [];
});

const terms = (): HttpTerms => ({
  protocols: ['http'],
  ownOrigin: `http://127.0.0.1:${port}`,
  addressPolicy: { kind: 'public_only', alsoHosts: [] },
  resolve: async (host) => Promise.resolve(host === 'rebinding.example' ? ['8.8.8.8', '10.0.0.1'] : ['192.168.0.1']),
  signal: AbortSignal.timeout(30_000),
});

describe('where requests go', () => {
  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://127.0.0.2/',
    'http://127.0.0.1:1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://localhost/',
    'http://rebinding.example/',
    'https://internal.example/',
    'http://user:fake@storage.example/',
    'file:///etc/passwd',
    'ftp://storage.example/',
    'storage.example',
  ])('given %s, then nobody is asked', async (url) => {
    await expect(ask({ method: 'GET', url, headers: {} }, terms())).rejects.toThrow(
      /not a public one|not gone to|no address/u,
    );
    expect(heard).toEqual([]);
  });

  it('given plain HTTP where it is not accepted, then nobody is asked', async () => {
    const request = ask({ method: 'GET', url: terms().ownOrigin, headers: {} }, { ...terms(), protocols: ['https'] });
    await expect(request).rejects.toThrow(/not gone to/u);
  });
});

describe('objects of a server that is not to be trusted', () => {
  const fetched = async (): Promise<GitResult<void>> =>
    fetchLfsObjects(
      {
        remote: { url: `http://127.0.0.1:${port}/demo/shop.git`, protocol: 'http', host: '127.0.0.1', port },
        credential: { username: 'x-access-token', password: 'fake-source-token' },
        terms: terms(),
        cache: null,
      },
      [POINTER],
      directory,
    );
  /** Answers the batch with this address, and what is asked for then as it is told. */
  const serving = (href: string, storage: RequestListener): void => {
    answer = (request, response) => {
      if (request.method === 'GET') return storage(request, response);
      const objects = [{ oid: POINTER.oid, size: POINTER.sizeBytes, actions: { download: { href } } }];
      return response.end(JSON.stringify({ objects }));
    };
  };
  const own = (): string => `http://127.0.0.1:${port}/objects/one`;

  it.each<[string, RequestListener, RegExp]>([
    ['another content', (_, response) => response.end('CONTENT OF AN OBJECT'), /another content/u],
    ['more content', (_, response) => response.end(`${CONTENT.toString()}!`), /another content/u],
    ['less content', (_, response) => response.end('content'), /another content/u],
    ['a refusal', (_, response) => response.writeHead(403).end(), /answered with 403/u],
    [
      'half of it',
      (_, response) => response.writeHead(200, { 'content-length': '20' }).write('c', () => response.destroy()),
      /./u,
    ],
    [
      'a redirect to a neighbour',
      (_, response) => response.writeHead(302, { location: `http://127.0.0.2:${port}/` }).end(),
      /not a public one/u,
    ],
    [
      'a redirect to itself, for ever',
      (request, response) => response.writeHead(307, { location: request.url }).end(),
      /in circles/u,
    ],
  ])('given %s, then the object is refused, and nothing is left', async (_what, storage, words) => {
    serving(own(), storage);
    expect(await fetched()).toMatchObject({
      ok: false,
      error: { code: 'lfs_unavailable', message: expect.stringMatching(words) },
    });
    expect(await readdir(directory)).toEqual([]);
    expect(heard.filter((line) => line.startsWith('127.0.0.2'))).toEqual([]);
  });

  it.each(['http://169.254.169.254/', 'http://127.0.0.2/', 'file:///etc/passwd'])(
    'given an object at %s, then it is not gone to',
    async (href) => {
      serving(href, (_, response) => response.end(CONTENT));
      expect(await fetched()).toMatchObject({ ok: false, error: { code: 'lfs_unavailable' } });
      expect(heard).toHaveLength(1);
    },
  );

  it('given an endless or unreadable answer, then it is refused', async () => {
    answer = (_, response) => response.end(`[${'1,'.repeat(3_000_000)}1]`);
    expect(await fetched()).toMatchObject({ error: { message: expect.stringMatching(/larger than/u) } });
    answer = (_, response) => response.end('<html>');
    expect(await fetched()).toMatchObject({ error: { message: 'the answer is no JSON' } });
  });
});
