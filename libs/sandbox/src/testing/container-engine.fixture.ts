import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { EngineClient } from '../container/engine-client.ts';
import { findProgram, SYSTEM_PROGRAM_DIRS } from '../find-program.ts';

/** What a step and the self-test need of an image. */
const PROGRAMS = ['sh', 'cat', 'cut', 'grep', 'head', 'id', 'readlink', 'touch', 'tr'];

/** An image with a few of this host's programs and what they are linked to: made here, so that nothing is downloaded. */
async function makeSmallImage(engine: EngineClient, name: string, tag: string): Promise<void> {
  const run = promisify(execFile);
  const programs = PROGRAMS.map((program) => findProgram(program, SYSTEM_PROGRAM_DIRS) ?? `/bin/${program}`);
  const { stdout: linked } = await run('ldd', programs);
  const files = new Set([...programs, '/bin/sh', ...(linked.match(/\/[^\s:()]+\.so[^\s:()]*/g) ?? [])]);
  const { stdout: archive } = await run('tar', ['-chPf', '-', ...files], { encoding: 'buffer', maxBuffer: 2 ** 28 });
  await engine.importImage(name, tag, archive);
}

/** A small image of a name of its own, gone afterwards. */
export async function withSmallImage(socketPath: string, use: (image: string) => Promise<void>): Promise<void> {
  const image = `delta-ci-test-${process.pid}:1`;
  await makeSmallImage(new EngineClient(socketPath), `delta-ci-test-${process.pid}`, '1');
  try {
    await use(image);
  } finally {
    const call = request({ socketPath, method: 'DELETE', path: `/images/${image}?force=1` }).end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    response.resume();
  }
}

/** A second socket that leads to the engine until it is shut, with all that is under way. */
export async function openDoorTo(engine: string, path: string): Promise<{ path: string; shut: () => void }> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(engine);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => open.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const shut = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return { path, shut };
}
