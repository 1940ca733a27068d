import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, freshNats, type FreshNats } from '../../../../test/support/infra/index.ts';
import type { Bus, Doubts } from '../bus.ts';
import { consumeEvents } from '../consume-events.ts';
import { consumeReports } from '../consume-reports.ts';
import type { Consumption } from '../consume.ts';
import { keptLog, testTopology, type KeptLog } from '../contract/bus-fixture.fixture.ts';
import { heldWatch, marksInMemory } from '../contract/held-watch.fixture.ts';
import { GrowingLog, reportOf } from '../contract/samples.fixture.ts';
import { keepConsumers } from '../keep-consumers.ts';
import { decodeEvent } from '../log-events.ts';
import { runRelay } from '../relay.ts';
import { ReportClient } from '../reports.ts';
import { connectBus } from './connect.ts';

describe('a server that fails', () => {
  let server: FreshNats;
  let log: KeptLog;
  let cleanups: (() => Promise<unknown>)[];
  beforeEach(async () => {
    server = await freshNats();
    cleanups = [() => server.remove()];
    log = keptLog();
  });
  afterEach(async () => {
    for (const cleanup of cleanups) await cleanup();
  });
  const atEnd = (cleanup: () => Promise<unknown>): void => void cleanups.unshift(cleanup);

  const connected = async (): Promise<Bus> => {
    const bus = await connectBus({ servers: [server.url], name: 'faults', log: keptLog() });
    atEnd(() => bus.close());
    return bus;
  };
  const provision = async (bus: Bus): Promise<void> => void (await bus.provision(testTopology()));
  const running = (consumption: Consumption): void => atEnd(() => consumption.close(0));
  const relay = (bus: Bus, source: GrowingLog): void => {
    const stop = new AbortController();
    const options = { signal: stop.signal, log, provision: () => provision(bus), recheckMs: 100 };
    const end = runRelay(bus, source, options);
    atEnd(() => {
      stop.abort();
      return end;
    });
  };
  const endOf = async (bus: Bus): Promise<number> => {
    const state = await bus.streamState('EVENTS');
    return state.outcome === 'known' ? state.lastSequence : 0;
  };
  const untilCopied = (bus: Bus, source: GrowingLog): Promise<unknown> =>
    eventually('EVENTS that ends where the log does', async () => (await endOf(bus)) === source.events.length);
  const expectCopy = async (bus: Bus, source: GrowingLog): Promise<void> => {
    for (const event of source.events) {
      const read = await bus.readStored('EVENTS', event.position);
      if (read.outcome !== 'found') throw new Error(`position ${event.position} is ${read.outcome}`);
      const decoded = decodeEvent(read.message);
      expect([read.message.sequence, decoded.ok && decoded.value]).toEqual([event.position, event]);
    }
  };

  it('given no server yet, when a service connects, then it waits for it', async () => {
    await server.stop();
    const connecting = connected();
    await server.start();
    expect((await connecting).isConnected()).toBe(true);
  });

  it('given a server that is killed and comes back, when events go on, then relay and consumer go on', async () => {
    const bus = await connected();
    await provision(bus);
    const source = new GrowingLog();
    const got = new Set<number>();
    running(
      consumeEvents(
        bus,
        'planner',
        { 'run.planning-started': async ({ position }) => void got.add(position) },
        { log: keptLog(), retry: { maxDeliver: 8, backoffMs: [10] } },
      ),
    );
    relay(bus, source);
    source.grow(20);
    await eventually('the first events', () => got.size === 20);

    await server.kill();
    source.grow(20);
    await eventually('a bus that noticed', () => !bus.isConnected());
    await server.start();
    await eventually('all events', () => got.size === 40);
    expect(bus.isConnected()).toBe(true);
    await expectCopy(bus, source);
  });

  it('given a store that is wiped, when the server is back, then the stream is filled again from the first event', async () => {
    const bus = await connected();
    await provision(bus);
    const source = new GrowingLog();
    source.grow(30);
    relay(bus, source);
    await untilCopied(bus, source);

    await server.kill();
    await server.wipeStore();
    await server.start();
    await untilCopied(bus, source);
    await expectCopy(bus, source);
  });

  it('given a store that lost its tail, when the server is back, then the same events have the same sequences again', async () => {
    const bus = await connected();
    await provision(bus);
    const source = new GrowingLog();
    source.grow(300);
    relay(bus, source);
    await untilCopied(bus, source);

    await server.kill();
    await server.cutStore(8 * 1024);
    await server.start();
    source.grow(5);
    await untilCopied(bus, source);
    expect(log.lines.map(({ message }) => message)).toContain('EVENTS lost its tail, filling it again');
    await expectCopy(bus, source);
  });

  const watch = (bus: Bus): void => {
    const stop = new AbortController();
    const again = async (doubts: Doubts): Promise<void> => void (await bus.provision(testTopology(), doubts));
    const end = keepConsumers(bus, {
      signal: stop.signal,
      log,
      provision: again,
      marks: marksInMemory(),
      recheckMs: 100,
    });
    atEnd(() => {
      stop.abort();
      return end;
    });
  };
  /** Takes and sends reports, by their numbers. */
  const reporting = (bus: Bus) => {
    const got = new Set<string>();
    const take = { 'planner.planning-failed': async ({ id }: { id: string }) => void got.add(id) };
    running(consumeReports(bus, take, { log: keptLog() }));
    const client = new ReportClient(bus);
    const send = async (number: number): Promise<boolean> => {
      const { kind, data, ...envelope } = reportOf(number);
      return (await client.send(kind, data, envelope)).sent;
    };
    return { got, send };
  };
  const lastReport = async (bus: Bus): Promise<number> => {
    const state = await bus.streamState('REPORTS');
    return state.outcome === 'known' ? state.lastSequence : 0;
  };

  it('given reports lost with the tail, when one is sent afterwards, then it is heard though nobody provisions', async () => {
    const bus = await connected();
    await provision(bus);
    watch(bus);
    const { got, send } = reporting(bus);
    for (let number = 1; number <= 100; number += 1) await send(number);
    await eventually('a hundred reports', () => got.size === 100);

    await server.stop();
    await server.cutStore(8 * 1024);
    await server.start();
    await eventually('one more report sent', () => send(101));
    expect(await lastReport(bus)).toBeLessThan(100);
    await eventually('the report taken', () => got.has('report-101'));
  });

  it('given lost sequences that are handed out again before anybody looks, then all that have them are heard', async () => {
    const bus = await connected();
    await provision(bus);
    const { got, send } = reporting(bus);
    for (let number = 1; number <= 100; number += 1) await send(number);
    await eventually('a hundred reports', () => got.size === 100);
    const held = await heldWatch(bus);
    atEnd(() => held.stop());

    await server.stop();
    await server.cutStore(8 * 1024);
    await server.start();
    await eventually('one more report sent', () => send(101));
    for (let number = 102; number <= 200; number += 1) await send(number);
    expect(await lastReport(bus)).toBeGreaterThan(100);
    await held.look();
    const sent = Array.from({ length: 100 }, (_, index) => `report-${index + 101}`);
    await eventually('all of them taken', () => sent.every((id) => got.has(id)));
    expect(held.changes).toContain('put right consumer orchestrator of REPORTS');
  });

  it('given reports lost with the tail, when new ones get their sequences, then they are still taken', async () => {
    const bus = await connected();
    await provision(bus);
    const { got, send } = reporting(bus);
    for (let number = 1; number <= 100; number += 1) await send(number);
    await eventually('a hundred reports', () => got.size === 100);

    // A clean stop writes down how far the consumer got; the cut takes messages it had passed.
    await server.stop();
    await server.cutStore(8 * 1024);
    await server.start();
    await eventually('a provisioned bus', () => provision(bus).then(() => true));
    await eventually('one more report sent', () => send(101));
    await eventually('the report taken', () => got.has('report-101'));
  });
});
