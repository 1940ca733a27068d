import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { followConnections, type QuietConnections } from './quiet-connections.ts';

let server: Server;
let connections: QuietConnections;
let port: number;
let finish: () => void;

beforeEach(async () => {
  server = createServer((request, response) => {
    if (request.url === '/slow') finish = () => void response.end('done');
    else response.end('ok');
  });
  connections = followConnections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(() => server.closeAllConnections());

async function opened(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

describe('quiet connections', () => {
  it('given a connection that never carried a request, when closed, then the listener can end', async () => {
    const accepted = once(server, 'connection');
    const socket = await opened();
    await accepted;
    const gone = once(socket, 'close');
    connections.close();
    await gone;
    server.close();
    await once(server, 'close');
  });

  it('given a request under way, when closed, then it is answered first', async () => {
    const asked = once(server, 'request');
    const answered = new Promise<string>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: '/slow' }, (response) => {
        response.setEncoding('utf8').once('data', resolve);
      }).once('error', reject);
    });
    await asked;
    connections.close();
    finish();
    expect(await answered).toBe('done');
  });
});
