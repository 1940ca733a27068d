import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { reasonOf } from '../../../tools/bootstrap/index.mjs';
import { readLine, type Question } from './messages.ts';
import { createSessionDir } from './session-dir.ts';
import { SessionServers } from './session-servers.ts';

/** The owner of the test session's servers, as seen by Jest's set-up and teardown. */
export interface Owner {
  readonly socketPath: string;
  /** Ends every server and deletes everything they wrote. */
  close(): Promise<void>;
}

/** Begins to answer the questions of test files on a socket in a directory of this session. */
export async function openOwner(repoRoot: string): Promise<Owner> {
  const dir = await createSessionDir();
  const servers = new SessionServers({ repoRoot, dir: dir.path });
  await servers.prepare();
  const socketPath = join(dir.path, 'owner');
  const listener = createServer((socket) => void converse(socket, servers));
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(socketPath, resolve);
  });
  listener.unref();
  return {
    socketPath,
    async close() {
      listener.close();
      try {
        await servers.close();
      } finally {
        await dir.remove();
      }
    },
  };
}

async function converse(socket: Socket, servers: SessionServers): Promise<void> {
  socket.on('error', () => {}); // whoever asked is gone: nobody to tell
  try {
    const question = JSON.parse(await readLine(socket)) as Question;
    socket.end(`${JSON.stringify({ answer: await servers.answer(question) })}\n`);
  } catch (error) {
    socket.end(`${JSON.stringify({ problem: reasonOf(error) })}\n`);
  }
}
