import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import type { TrustLevel } from '@delta-ci/contracts';
import { openJobEgress } from './job-egress.ts';

const HOST = 'inside.example.org';
const BOUNDS = { allow: ['*'], ranges: [], upstream: null, resolve: async () => ['10.0.0.1'] };

/** What a job is told, in its log and its report, that asks for a name whose address is not public. */
async function toldTo(trust: TrustLevel) {
  const said: string[] = [];
  const egress = openJobEgress(trust, [HOST], BOUNDS, (line) => said.push(line));
  const server = createServer((socket) => egress.outlet.accept(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(`CONNECT ${HOST}:443 HTTP/1.1\r\nHost: ${HOST}:443\r\n\r\n`);
    return { said, answer: await text(socket), decisions: egress.decisions() };
  } finally {
    egress.close();
    server.close();
  }
}

describe('an address that is out of bounds', () => {
  const refused = 'egress refused: inside.example.org:443, an address that is not of the public internet';

  it('is named to a trusted change, whose people can say what to permit', async () => {
    const { said, decisions } = await toldTo('trusted');
    expect(said).toEqual([`${refused} (10.0.0.1)`]);
    expect(decisions).toMatchObject([{ reason: 'private-address', address: '10.0.0.1' }]);
  });

  it('is not named to a stranger, who would learn how names of the inside resolve', async () => {
    const { said, decisions, answer } = await toldTo('untrusted');
    expect(said).toEqual([refused]);
    expect(JSON.stringify([decisions, answer])).not.toContain('10.0.0.1');
  });
});
