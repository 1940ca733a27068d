import { describe, expect, it } from '@jest/globals';
import { keptLog, message, pullAll, testTopology, textOf } from '../contract/bus-fixture.fixture.ts';
import { MemoryBus } from './memory-bus.ts';
import { MemoryServer } from './memory-server.ts';
import { subjectMatches } from './memory-stream.ts';

const report = (text: string) => message('delta.reports.planner.planning-failed.run-1', text);

describe('the server in memory', () => {
  it('given a tail that was lost, when it is provisioned, then a consumer beyond the end sees what reuses the sequences', async () => {
    const server = new MemoryServer();
    const bus = new MemoryBus(server, keptLog());
    await bus.provision(testTopology());
    for (const text of ['one', 'two', 'three']) await bus.store(report(text));
    const { deliveries } = await pullAll(bus, 'REPORTS', 'orchestrator');
    for (const delivery of deliveries) delivery.ack();

    server.truncate('REPORTS', 1);
    await bus.store(report('another two'));
    expect((await pullAll(bus, 'REPORTS', 'orchestrator')).deliveries).toEqual([]);
    expect((await bus.provision(testTopology())).changes).toEqual(['put right consumer orchestrator of REPORTS']);
    expect((await pullAll(bus, 'REPORTS', 'orchestrator')).deliveries.map(textOf)).toEqual(['one', 'another two']);
  });

  it('given a server that is away, when it is used, then every answer says so, and it keeps what it had', async () => {
    const server = new MemoryServer();
    const bus = new MemoryBus(server, keptLog());
    await bus.provision(testTopology());
    await bus.store(report('one'));
    const pulled = pullAll(bus, 'EVENTS', 'planner', { expiresMs: 60_000 });
    await bus.streamState('EVENTS');
    server.setReachable(false);

    expect((await pulled).end).toBe('unreachable');
    expect(bus.isConnected()).toBe(false);
    expect(await bus.store(report('two'))).toMatchObject({ outcome: 'unreachable' });
    await expect(bus.provision(testTopology())).rejects.toThrow('the server is away');
    server.setReachable(true);
    expect((await pullAll(bus, 'REPORTS', 'orchestrator')).deliveries.map(textOf)).toEqual(['one']);
  });

  it('given a full stream that drops the oldest, when one more is stored, then the first goes', async () => {
    const bus = new MemoryBus(new MemoryServer(), keptLog());
    await bus.provision(testTopology({ maxBytes: { REPORTS: 8 } }));
    for (const text of ['aaaa', 'bbbb', 'cccc']) await bus.store(report(text));
    expect(await bus.streamState('REPORTS')).toMatchObject({ firstSequence: 2, lastSequence: 3, messages: 2 });
  });

  it('given a log that begins later, when the stream is made, then its first sequence is that position', async () => {
    const bus = new MemoryBus(new MemoryServer(), keptLog());
    await bus.provision(testTopology({ eventsFromPosition: 500 }));
    const event = message('delta.events.run.started.run-1', '{}');
    expect(await bus.store(event, { expectedLastSequence: 499 })).toEqual({ outcome: 'stored', sequence: 500 });
  });

  it.each([
    ['a.b', 'a.b', true],
    ['a.*', 'a.b', true],
    ['a.*', 'a.b.c', false],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['>', 'a', true],
    ['a.*.c', 'a.b.d', false],
    ['a.b', 'a', false],
    ['a', 'a.b', false],
  ])('given the filter %s, when the subject is %s, then it fits: %s', (filter, subject, fits) => {
    expect(subjectMatches(filter, subject)).toBe(fits);
  });
});
