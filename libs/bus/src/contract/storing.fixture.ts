import { expect } from '@jest/globals';
import { message, testTopology, textOf, type Contract } from './bus-fixture.fixture.ts';

/** Streams: storing, reading and limits. */
export const storing: Contract = {
  'given two messages, when they are stored, then they have the sequences 1 and 2 and can be read': async ({ bus }) => {
    expect(await bus.store(message('delta.reports.a.b.1', 'one', { 'x-note': 'kept' }))).toEqual({
      outcome: 'stored',
      sequence: 1,
    });
    expect(await bus.store(message('delta.reports.a.b.2', 'two'))).toEqual({ outcome: 'stored', sequence: 2 });

    const read = await bus.readStored('REPORTS', 1);
    if (read.outcome !== 'found') throw new Error(`the first message was ${read.outcome}`);
    expect(read.message).toMatchObject({ subject: 'delta.reports.a.b.1', sequence: 1 });
    expect(read.message.headers['x-note']).toBe('kept');
    expect(textOf(read.message)).toBe('one');
    expect(await bus.streamState('REPORTS')).toEqual({
      outcome: 'known',
      firstSequence: 1,
      lastSequence: 2,
      messages: 2,
    });
  },

  'given a message id the stream has, when it is used again, then nothing is stored a second time': async ({ bus }) => {
    await bus.store(message('delta.reports.a.b.1', 'one'), { messageId: 'same' });
    const again = await bus.store(message('delta.reports.a.b.1', 'other'), { messageId: 'same' });

    expect(again).toEqual({ outcome: 'duplicate', sequence: 1 });
    expect(await bus.streamState('REPORTS')).toMatchObject({ messages: 1 });
  },

  'given an expected last sequence, when it is not the last, then nothing is stored': async ({ bus }) => {
    const event = message('delta.events.run.started.run-1', '{}');
    expect(await bus.store(event, { expectedLastSequence: 0 })).toEqual({ outcome: 'stored', sequence: 1 });
    expect(await bus.store(event, { expectedLastSequence: 0 })).toEqual({ outcome: 'out-of-order' });
    expect(await bus.store(event, { expectedLastSequence: 2 })).toEqual({ outcome: 'out-of-order' });
    expect(await bus.store(event, { expectedLastSequence: 1 })).toEqual({ outcome: 'stored', sequence: 2 });
  },

  'given a subject no stream takes, when a message is stored, then that is said': async ({ bus }) => {
    expect(await bus.store(message('delta.nowhere.x', 'lost'))).toEqual({ outcome: 'missing' });
  },

  'given a full work queue, when one more is stored, then it is refused and the others stay': async ({ bus }) => {
    const { streams, ...rest } = testTopology();
    const narrow = streams.map((spec) => (spec.name === 'DISPATCH' ? { ...spec, maxMessagesPerSubject: 2 } : spec));
    await bus.provision({ ...rest, streams: narrow });
    await bus.store(message('delta.dispatch.default', 'one'));
    await bus.store(message('delta.dispatch.default', 'two'));

    expect(await bus.store(message('delta.dispatch.default', 'three'))).toEqual({ outcome: 'full' });
    expect(await bus.store(message('delta.dispatch.other', 'another pool'))).toMatchObject({ outcome: 'stored' });
  },

  'given gaps, when the next message is read, then it is the first at or after the sequence': async ({ bus }) => {
    for (const number of [1, 2, 3]) await bus.store(message('delta.parked.REPORTS.x', String(number)));
    expect(await bus.removeStored('PARKED', 2)).toBe(true);
    expect(await bus.removeStored('PARKED', 2)).toBe(false);

    expect(await bus.readStored('PARKED', 2)).toMatchObject({ outcome: 'found', message: { sequence: 3 } });
    expect(await bus.readStored('PARKED', 4)).toEqual({ outcome: 'none' });
  },

  'given the log, when somebody removes an event from the stream, then it stays': async ({ bus }) => {
    await bus.store(message('delta.events.run.started.run-1', '{}'));

    expect(await bus.removeStored('EVENTS', 1)).toBe(false);
    expect(await bus.streamState('EVENTS')).toMatchObject({ messages: 1 });
  },
};

/** What the provisioner does. */
export const provisioning: Contract = {
  'given everything is there, when it is provisioned again, then nothing changes': async ({ bus }) => {
    expect((await bus.provision(testTopology())).changes).toEqual([]);
  },

  'given a new pool and a longer wait, when provisioned, then just those change': async ({ bus }) => {
    const wanted = testTopology({ pools: ['default', 'big', 'huge'] });
    const consumers = wanted.consumers.map((spec) => (spec.name === 'planner' ? { ...spec, ackWaitMs: 9_000 } : spec));

    expect((await bus.provision({ ...wanted, consumers })).changes).toEqual([
      'updated consumer planner of EVENTS',
      'created consumer dispatch-huge of DISPATCH',
    ]);
  },

  'given the store was lost, when provisioned, then streams and consumers are there again': async ({
    bus,
    loseStore,
  }) => {
    await loseStore();
    expect(await bus.streamState('EVENTS')).toEqual({ outcome: 'missing' });
    expect(await bus.readStored('EVENTS', 1)).toEqual({ outcome: 'missing' });
    expect(await bus.store(message('delta.events.run.started.run-1', '{}'))).toEqual({ outcome: 'missing' });

    const { changes } = await bus.provision(testTopology());
    expect(changes).toContain('created stream EVENTS');
    expect(changes).toContain('created consumer planner of EVENTS');
    expect(await bus.streamState('EVENTS')).toMatchObject({ outcome: 'known', lastSequence: 0 });
  },

  'given two provisioners at once, when both run, then both succeed': async ({ bus, connect, loseStore }) => {
    await loseStore();
    const other = await connect();
    await Promise.all([bus.provision(testTopology()), other.provision(testTopology())]);

    expect((await bus.provision(testTopology())).changes).toEqual([]);
  },

  'says what production needs': async ({ bus }) => {
    const { notes } = await bus.provision(testTopology());
    expect(notes.join(' ')).toMatch(/production|specs and simulation only/);
  },
};
