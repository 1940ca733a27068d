import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { requireFreePort } from './require-free-port.ts';

describe('the port of the gateway', () => {
  it('given one that is free, then nothing listens on it afterwards, and it can be had', async () => {
    await requireFreePort(0);
    await using server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(requireFreePort(port)).rejects.toThrow(
      `port ${port} cannot be had: another program listens there. Choose another, or any that is free: npm start -- --port 0`,
    );
    server.close();
    await once(server, 'close');
    await requireFreePort(port);
  });
});
