import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keptLog, message, pullAll, testTopology, textOf } from './contract/bus-fixture.fixture.ts';
import { heldWatch, marksInMemory, type HeldWatch } from './contract/held-watch.fixture.ts';
import { MemoryBus } from './memory/memory-bus.ts';
import { MemoryServer } from './memory/memory-server.ts';

let server: MemoryServer;
let bus: MemoryBus;
let watch: HeldWatch | null;

beforeEach(async () => {
  server = new MemoryServer();
  bus = new MemoryBus(server, keptLog());
  await bus.provision(testTopology());
  watch = null;
});
afterEach(() => watch?.stop());

const send = async (...texts: string[]) => {
  for (const text of texts) await bus.store(message('delta.reports.planner.planning-failed.run-1', text));
};
const heard = async () => {
  const { deliveries } = await pullAll(bus, 'REPORTS', 'orchestrator');
  for (const delivery of deliveries) delivery.ack();
  return deliveries.map(textOf);
};
const watching = async (marks = marksInMemory()) => {
  watch = await heldWatch(bus, marks);
  return watch;
};
const PUT_RIGHT = 'put right consumer orchestrator of REPORTS';

describe('the watch over consumers', () => {
  it('given nothing happened, when it looks, then nothing is changed', async () => {
    const { look, changes } = await watching();
    await send('one', 'two');
    await heard();
    await look();
    await send('three');
    await heard();
    await look();
    expect(changes).toEqual([]);
    expect(await heard()).toEqual([]);
  });

  it('given a consumer beyond the end when it starts, then it is put right at once', async () => {
    await send('one', 'two');
    await heard();
    server.truncate('REPORTS', 1);
    expect((await watching()).changes).toEqual([PUT_RIGHT]);
  });

  it('given nothing that tells how far it was ever seen, when a lost message was replaced, then all there is is heard again', async () => {
    await send('one');
    await heard();
    server.truncate('REPORTS', 0);
    await send('another one');
    expect((await watching()).changes).toEqual([PUT_RIGHT]);
    expect(await heard()).toEqual(['another one']);
  });

  it('given a tail lost since the last look, when its sequences were handed out again, then only what is in doubt is heard again', async () => {
    const { look, changes } = await watching();
    await send('one', 'two');
    await heard();
    await look();
    await send('three', 'four');
    await heard();
    server.truncate('REPORTS', 2);
    await send('another three', 'another four', 'five');
    await heard();
    await look();
    expect(changes).toEqual([PUT_RIGHT]);
    expect(await heard()).toEqual(['another three', 'another four', 'five']);
  });

  it('given a stream that ends before it did, when it looks, then all there is is heard again, and it says so', async () => {
    await send('one', 'two', 'three');
    await heard();
    const { look, log } = await watching();
    server.truncate('REPORTS', 1);
    await look();
    await send('another two');
    expect(await heard()).toEqual(['one', 'another two']);
    expect(log.lines).toContainEqual({
      level: 'warn',
      fields: { stream: 'REPORTS', position: 1, highest: 3 },
      message: 'stream lost its tail, making consumers anew that had passed it',
    });
  });

  it('given an outage that lost nothing, when it looks, then a consumer that took nothing since stays', async () => {
    const { look, changes } = await watching();
    await send('one', 'two');
    await heard();
    await look();
    server.setReachable(false);
    await look();
    server.setReachable(true);
    await look();
    expect(changes).toEqual([]);
  });

  it('given an outage while it cannot see, when the server is back, then what came since the last look is in doubt', async () => {
    const { look, changes } = await watching();
    server.setReachable(false);
    await look();
    server.setReachable(true);
    await send('one');
    await heard();
    await look();
    expect(changes).toEqual([PUT_RIGHT]);
    expect(await heard()).toEqual(['one']);
    await look();
    expect(changes).toEqual([PUT_RIGHT]);
  });

  describe('given a watch that ended, when another takes over', () => {
    const handedOver = async (meanwhile: () => Promise<void>) => {
      const marks = marksInMemory();
      const { look, stop } = await watching(marks);
      await send('one', 'two');
      await heard();
      await look();
      await stop();
      await meanwhile();
      return watching(marks);
    };

    it('then what came in between is heard again, even when a lost tail was filled up long ago', async () => {
      const { changes } = await handedOver(async () => {
        await send('three', 'four');
        await heard();
        server.truncate('REPORTS', 2);
        await send('another three', 'another four', 'five');
        await heard();
      });
      expect(changes).toEqual([PUT_RIGHT]);
      expect(await heard()).toEqual(['another three', 'another four', 'five']);
    });

    it('then a loss of what was seen before has everything heard again', async () => {
      const { changes } = await handedOver(async () => {
        server.truncate('REPORTS', 1);
        await send('another two', 'three');
      });
      expect(changes).toEqual([PUT_RIGHT]);
      expect(await heard()).toEqual(['one', 'another two', 'three']);
    });

    it('then nothing is heard again when nothing came', async () => {
      const { changes } = await handedOver(async () => undefined);
      expect(changes).toEqual([]);
    });
  });

  it('given marks that cannot be kept, when it looks, then consumers are put right once all the same, and it is tried again', async () => {
    const marks = marksInMemory();
    await send('one');
    await heard();
    const { look, changes, log } = await watching({ ...marks, write: async () => Promise.reject(new Error('away')) });
    expect(changes).toEqual([PUT_RIGHT]);
    expect(await heard()).toEqual(['one']);
    await look();
    await look();
    expect(changes).toEqual([PUT_RIGHT]);
    expect(log.lines.map((line) => line.message).filter((told) => told.startsWith('could not put'))).toHaveLength(3);
  });

  it('given marks that could not be kept for a while, when they can be, then they are', async () => {
    const marks = marksInMemory();
    let isAway = true;
    const write: typeof marks.write = async (moved) =>
      isAway ? Promise.reject(new Error('away')) : marks.write(moved);
    const { look } = await watching({ ...marks, write });
    await send('one');
    await look();
    isAway = false;
    await look();
    expect((await marks.read()).get('REPORTS')).toMatchObject({ sequence: 1 });
  });
});
