import { describe, expect, it } from '@jest/globals';
import { EVENT_TYPES, eventSubject, type RecordedEvent } from '@delta-ci/contracts';
import { randomBytes } from 'node:crypto';
import { keptLog, testTopology } from './contract/bus-fixture.fixture.ts';
import { TRACE, eventAt } from './contract/samples.fixture.ts';
import { decodeEvent, encodeEvent, eventTypeOfSubject, publishEvent } from './log-events.ts';
import { MemoryBus } from './memory/memory-bus.ts';
import { MemoryServer } from './memory/memory-server.ts';

describe('events of the log on the bus', () => {
  it('given an event, when it travels, then position, hash and trace are in the headers and it reads as it was', () => {
    const message = encodeEvent(eventAt(7));
    expect(message.subject).toBe(`delta.events.run.planning-started.${eventAt(7).stream}`);
    expect(message.headers).toEqual({
      'content-type': 'application/cloudevents+json',
      traceparent: TRACE,
      'Delta-Position': '7',
      'Delta-Hash': 'a7',
    });
    expect(decodeEvent(message)).toEqual({ ok: true, value: eventAt(7) });
  });

  it('given an event without a trace, when it travels, then no header is made up', () => {
    const event = { ...eventAt(1), traceparent: null };
    expect(encodeEvent(event).headers).not.toHaveProperty('traceparent');
    expect(decodeEvent(encodeEvent(event))).toEqual({ ok: true, value: event });
  });

  it.each<[string, (event: RecordedEvent) => object]>([
    ['another id', (event) => ({ ...event, id: eventAt(9).id })],
    ['another stream', (event) => ({ ...event, stream: 'run-other' })],
    ['another trace', (event) => ({ ...event, traceparent: null })],
    ['no data', (event) => ({ ...event, data: {} })],
    ['an unknown field', (event) => ({ ...event, admin: true })],
    ['a type nobody knows', (event) => ({ ...event, type: 'run.dreamt' })],
  ])('given an envelope whose event has %s, when read, then it is refused', (_what, change) => {
    const message = encodeEvent(eventAt(1));
    const envelope = JSON.parse(Buffer.from(message.body).toString()) as object;
    const body = Buffer.from(JSON.stringify({ ...envelope, data: change(eventAt(1)) }));
    expect(decodeEvent({ ...message, body })).toEqual({ ok: false, reason: expect.stringMatching(/\S/) });
  });

  it.each(EVENT_TYPES)('given the subject of %s, when asked for its type, then that is it', (type) => {
    expect(eventTypeOfSubject(eventSubject(type, 'run-run_1'))).toBe(type);
  });

  it('given a subject of a later release, when asked for its type, then it is not known', () => {
    expect(eventTypeOfSubject('delta.events.run.dreamt.run-1')).toBeNull();
    expect(eventTypeOfSubject('delta.events')).toBeNull();
  });

  it('given an event larger than the server takes, when published, then its place is taken and it says why', async () => {
    const bus = new MemoryBus(new MemoryServer(), keptLog());
    await bus.provision(testTopology());
    const noise = randomBytes(1024 * 1024).toString('base64');
    const large: RecordedEvent = { ...eventAt(1), type: 'run.superseded', data: { by: noise } };

    expect(await publishEvent(bus, large)).toEqual({ outcome: 'stored', sequence: 1 });
    expect(await publishEvent(bus, eventAt(2))).toEqual({ outcome: 'stored', sequence: 2 });
    const read = await bus.readStored('EVENTS', 1);
    if (read.outcome !== 'found') throw new Error(read.outcome);
    expect(decodeEvent(read.message)).toEqual({
      ok: false,
      reason: expect.stringMatching(/^too large for the bus \(\d+ bytes\): read position 1 from the log$/),
    });
  });
});
