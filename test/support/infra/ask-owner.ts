import { createConnection } from 'node:net';
import { readLine, SOCKET_VARIABLE, type Answers, type Question, type Reply } from './messages.ts';

/**
 * Asks the owner of the servers, which lives in Jest's main process.
 *
 * @throws when there is none (a test file run without Jest's global set-up) or it could not do what was asked
 */
export async function askOwner<Q extends Question>(question: Q): Promise<Answers[Q['ask']]> {
  const path = process.env[SOCKET_VARIABLE];
  if (path === undefined) throw new Error('no test servers: run this file with Jest, whose global set-up owns them');
  const socket = createConnection(path);
  try {
    const line = readLine(socket);
    socket.write(`${JSON.stringify(question)}\n`);
    const reply = JSON.parse(await line) as Reply<Answers[Q['ask']]>;
    if ('problem' in reply) throw new Error(reply.problem);
    return reply.answer;
  } finally {
    socket.destroy();
  }
}
