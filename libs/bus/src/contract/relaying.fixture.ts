import { expect } from '@jest/globals';
import { eventually } from '../../../../test/support/infra/index.ts';
import type { Bus } from '../bus.ts';
import { decodeEvent, publishEvent } from '../log-events.ts';
import { runRelay, type RelayEnd } from '../relay.ts';
import { message, testTopology, type Contract, type Given } from './bus-fixture.fixture.ts';
import { GrowingLog, eventAt } from './samples.fixture.ts';

/** Starts a relay that is stopped at the end of the test at the latest. */
function relay({ bus, log, atEnd }: Given, source: GrowingLog, signal?: AbortSignal): Promise<RelayEnd> {
  const ending = new AbortController();
  const either = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
  const provision = async (): Promise<void> => void (await bus.provision(testTopology()));
  const end = runRelay(bus, source, { signal: either, log, provision, batchSize: 16, recheckMs: 50 });
  atEnd(async () => {
    ending.abort();
    await end;
  });
  return end;
}

/** Waits until the stream ends where the log does, and checks that it is the log. */
async function untilCopied(bus: Bus, source: GrowingLog): Promise<void> {
  const last = source.events.length;
  await eventually(`EVENTS up to ${last}`, async () => {
    const state = await bus.streamState('EVENTS');
    return state.outcome === 'known' && state.lastSequence === last;
  });
  for (let position = 1; position <= last; position += 1) {
    const read = await bus.readStored('EVENTS', position);
    if (read.outcome !== 'found') throw new Error(`position ${position} is ${read.outcome}`);
    expect(read.message.sequence).toBe(position);
    const decoded = decodeEvent(read.message);
    expect(decoded.ok && decoded.value).toEqual(source.events[position - 1]);
  }
}

/** The relay: order, resuming, healing, and never publishing over another history. */
export const relaying: Contract = {
  'given a log, when it runs, then the stream is the log in order, and follows it': async (given) => {
    const { bus } = given;
    const source = new GrowingLog();
    source.grow(40);
    const stop = new AbortController();
    const end = relay(given, source, stop.signal);
    await untilCopied(bus, source);
    source.grow(3);
    await untilCopied(bus, source);
    stop.abort();
    expect(await end).toEqual({ end: 'stopped' });
  },

  'given a relay that was stopped, when another starts, then it goes on where the stream ends': async (given) => {
    const { bus } = given;
    const source = new GrowingLog();
    source.grow(10);
    const first = new AbortController();
    const ended = relay(given, source, first.signal);
    await untilCopied(bus, source);
    first.abort();
    await ended;
    source.grow(10);
    void relay(given, source);
    await untilCopied(bus, source);
  },

  'given two relays at once, when the log grows, then the stream is still the log': async (given) => {
    const { bus } = given;
    const source = new GrowingLog();
    source.grow(30);
    void relay(given, source);
    void relay(given, source);
    await untilCopied(bus, source);
    for (let more = 0; more < 5; more += 1) source.grow(20);
    await untilCopied(bus, source);
  },

  'given a publisher that is behind, ahead or in another history, when it publishes, then it is refused': async ({
    bus,
  }) => {
    expect(await publishEvent(bus, eventAt(2))).toEqual({ outcome: 'out-of-order' });
    expect(await publishEvent(bus, eventAt(1))).toEqual({ outcome: 'stored', sequence: 1 });
    expect(await publishEvent(bus, eventAt(2))).toEqual({ outcome: 'stored', sequence: 2 });
    expect(await publishEvent(bus, eventAt(1))).toEqual({ outcome: 'duplicate', sequence: 1 });
    expect(await publishEvent(bus, eventAt(4))).toEqual({ outcome: 'out-of-order' });
    expect(await bus.streamState('EVENTS')).toMatchObject({ lastSequence: 2 });
  },

  'given the stream is lost while it runs, when nothing new is logged, then the relay fills it again': async (
    given,
  ) => {
    const { bus, loseStore } = given;
    const source = new GrowingLog();
    source.grow(20);
    void relay(given, source);
    await untilCopied(bus, source);
    await loseStore();
    await untilCopied(bus, source);
    source.grow(1);
    await untilCopied(bus, source);
  },

  'given the log is away for a while, when it is back, then the relay goes on': async (given) => {
    const { bus, log } = given;
    const source = new GrowingLog();
    source.grow(5);
    source.failure = new Error('the database is restarting');
    void relay(given, source);
    await eventually('a warning', () =>
      log.lines.some(({ message: text }) => text.startsWith('relay could not go on')),
    );
    source.failure = null;
    await untilCopied(bus, source);
  },

  'given the stream holds another history, when the relay starts, then it publishes nothing': async (given) => {
    const { bus } = given;
    const before = new GrowingLog();
    before.grow(5, 'other');
    const first = new AbortController();
    const ended = relay(given, before, first.signal);
    await untilCopied(bus, before);
    first.abort();
    await ended;

    const source = new GrowingLog();
    source.grow(9);
    expect(await relay(given, source)).toMatchObject({ end: 'forked', position: 5 });
    await untilCopied(bus, before);
  },

  'given the stream is ahead of the log, when the relay starts, then it says so and publishes nothing': async (
    given,
  ) => {
    const { bus } = given;
    const longer = new GrowingLog();
    longer.grow(5);
    const first = new AbortController();
    const ended = relay(given, longer, first.signal);
    await untilCopied(bus, longer);
    first.abort();
    await ended;

    const restored = new GrowingLog();
    restored.grow(3);
    expect(await relay(given, restored)).toMatchObject({
      end: 'forked',
      position: 5,
      detail: 'the stream is ahead of the log: it holds position 5',
    });
  },

  'given somebody else wrote into the stream, when the relay starts, then it publishes nothing': async (given) => {
    const { bus } = given;
    await bus.store(message('delta.events.run.created.run-1', 'not an event'));
    const source = new GrowingLog();
    source.grow(3);
    expect(await relay(given, source)).toMatchObject({
      end: 'forked',
      position: 1,
      detail: 'sequence 1 holds position none',
    });
    expect(await bus.streamState('EVENTS')).toMatchObject({ lastSequence: 1 });
  },
};
