import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scene } from '../scene.ts';
import { HttpClient } from './http-client.ts';

/** About as long as the offer of a lease. */
const ANSWER = JSON.stringify({ answer: 'x'.repeat(1_000) });

/** Requests per second that a bare HTTP server in a process of its own answers, asked as runners ask. */
export async function rawHttp(scene: Scene, { requests, inFlight }: { requests: number; inFlight: number }) {
  const server = await scene.open(
    () => fork(import.meta.filename, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    async (child) => {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    },
  );
  const [port] = (await once(server, 'message')) as [number];
  const client = await scene.open(
    () => new HttpClient(`http://127.0.0.1:${port}`),
    (opened) => opened.close(),
  );
  const body = JSON.stringify({ question: 'x'.repeat(200) });
  let left = requests;
  const asker = async (): Promise<void> => {
    while (left-- > 0) await client.post('/', 'nobody', body);
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, asker));
  return (requests / (performance.now() - startedAt)) * 1_000;
}

/** Run as a process: answers every request alike, ends with its parent. */
if (import.meta.main) {
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER));
  });
  process.once('disconnect', () => process.exit(0));
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}
