import { once } from 'node:events';
import { createServer } from 'node:net';
import { StartProblem } from './start-problem.ts';

/**
 * Looks before anything is started whether the gateway will have its port; 0 is always free.
 * @throws StartProblem when somebody listens there, or nobody may
 */
export async function requireFreePort(port: number): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'another program listens there' : message;
    throw new StartProblem(
      `port ${port} cannot be had: ${why}. Choose another, or any that is free: npm start -- --port 0`,
    );
  } finally {
    server.close();
  }
}
