import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { eventually, freshNats, type FreshNats } from './index.ts';

async function withConnection<T>(url: string, work: (connection: NatsConnection) => Promise<T>): Promise<T> {
  const connection = await connect({ servers: url, reconnect: false });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

const publish = (url: string, texts: readonly string[]): Promise<void> =>
  withConnection(url, async (connection) => {
    for (const text of texts) await jetstream(connection).publish('seen.here', text);
  });

const storedMessages = (url: string): Promise<number> =>
  withConnection(
    url,
    async (connection) => (await (await jetstreamManager(connection)).streams.info('SEEN')).state.messages,
  );

const streamNames = (url: string): Promise<readonly string[]> =>
  withConnection(url, async (connection) => (await jetstreamManager(connection)).streams.names().next());

async function addStream(url: string): Promise<void> {
  await withConnection(url, async (connection) => {
    await (await jetstreamManager(connection)).streams.add({ name: 'SEEN', subjects: ['seen.>'] });
  });
}

describe('a fresh nats-server', () => {
  let nats: FreshNats;
  beforeAll(async () => {
    nats = await freshNats();
    await addStream(nats.url);
  });
  afterAll(() => nats.remove());

  it('is nobody else’s: another one has no streams', async () => {
    const other = await freshNats();
    expect(other.url).not.toBe(nats.url);
    expect(await streamNames(other.url)).toEqual([]);
    await other.remove();
    await expect(connect({ servers: other.url, reconnect: false })).rejects.toThrow(/refused/i);
  });

  it('keeps what was stored through a stop and a kill, on the same address', async () => {
    await publish(nats.url, ['one']);
    await nats.stop();
    await expect(connect({ servers: nats.url, reconnect: false })).rejects.toThrow(/refused/i);
    await nats.start();
    await publish(nats.url, ['two']);
    await nats.kill();
    await nats.start();
    expect(await storedMessages(nats.url)).toBe(2);
  });

  it('loses its newest messages when its store is cut, and everything when it is wiped', async () => {
    await publish(nats.url, ['three', 'four']);
    const before = await storedMessages(nats.url);
    await expect(nats.cutStore(8)).rejects.toThrow(/stopped/);
    await nats.stop();
    await nats.cutStore(8);
    await nats.start();
    expect(await storedMessages(nats.url)).toBe(before - 1);
    await nats.stop();
    await nats.wipeStore();
    await nats.start();
    expect(await streamNames(nats.url)).toEqual([]);
  });

  it('takes more configuration', async () => {
    const guarded = await freshNats({ config: 'authorization { token: "not-a-real-secret" }' });
    await expect(connect({ servers: guarded.url, reconnect: false })).rejects.toThrow(/authorization/i);
    const connection = await connect({ servers: guarded.url, token: 'not-a-real-secret' });
    expect(connection.info?.jetstream).toBe(true);
    await connection.close();
    await guarded.remove();
  });

  it('lets a client that waits see the server come back', async () => {
    const patient = await freshNats();
    const connection = await connect({ servers: patient.url, reconnectTimeWait: 10, maxReconnectAttempts: -1 });
    await patient.kill();
    await patient.start();
    await eventually('the connection answers again', async () => (await connection.rtt()) >= 0);
    await connection.close();
    await patient.remove();
  });
});
