import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Which connections of a listener carry no request at this moment. */
export interface QuietConnections {
  /** Closes them. */
  close(): void;
}

/**
 * Follows a listener's connections. Node's own `closeIdleConnections` passes over those that never carried a request, and
 * clients open such ones ahead of need: each would hold a stopping listener until its deadline.
 */
export function followConnections(server: Server): QuietConnections {
  const underWay = new Map<Socket, number>();
  server.on('connection', (socket: Socket) => {
    underWay.set(socket, 0);
    socket.once('close', () => underWay.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    underWay.set(socket, (underWay.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (underWay.get(socket) ?? 1) - 1;
      if (underWay.has(socket)) underWay.set(socket, left);
    });
  });
  return {
    close: () => {
      for (const [socket, requests] of underWay) if (requests === 0) socket.destroy();
    },
  };
}
