import { expect } from '@jest/globals';
import { eventSubject, type RecordedEventOf } from '@delta-ci/contracts';
import { eventually, undisturbed } from '../../../../test/support/infra/index.ts';
import type { Bus } from '../bus.ts';
import {
  consumeEvents,
  type ConsumeHandlersOptions,
  type DeliveryContext,
  type EventHandlers,
} from '../consume-events.ts';
import { consumeReports, type ReportHandlers } from '../consume-reports.ts';
import type { Consumption } from '../consume.ts';
import { encodeEvent, publishEvent } from '../log-events.ts';
import { dropParked, listParked, retryParked, type ParkedMessage } from '../parked.ts';
import { ReportClient } from '../reports.ts';
import { ACK_WAIT_MS_TEST, testTopology, type Contract, type Given } from './bus-fixture.fixture.ts';
import { TRACE, eventAt, reportOf, runId } from './samples.fixture.ts';

const QUICK = { maxDeliver: 3, backoffMs: [10, 20] };

function endAfter({ atEnd }: Given, consumption: Consumption): Consumption {
  atEnd(() => consumption.close(0));
  return consumption;
}

const follow = (given: Given, handlers: EventHandlers, options: { concurrency?: number } = {}): Consumption =>
  endAfter(given, consumeEvents(given.bus, 'planner', handlers, { log: given.log, retry: QUICK, ...options }));

const takeReports = (given: Given, handlers: ReportHandlers): Consumption =>
  endAfter(given, consumeReports(given.bus, handlers, { log: given.log, retry: QUICK }));

const parked = (bus: Bus): Promise<readonly ParkedMessage[]> =>
  eventually('a parked message', async () => {
    const page = await listParked(bus, 1, 100);
    return page.ok && page.messages.length > 0 && page.messages;
  });

/** Events: handled once, tried again, parked, sent back. */
export const consumingEvents: Contract = {
  'given a handler, when an event is published, then it gets the event and its trace, once': async (given) => {
    const { bus } = given;
    const got: [RecordedEventOf<'run.planning-started'>, DeliveryContext][] = [];
    follow(given, { 'run.planning-started': async (...all) => void got.push(all) });
    await publishEvent(bus, eventAt(1));
    await publishEvent(bus, eventAt(2));
    await eventually('both events', () => got.length === 2);

    expect(got.map(([event]) => event)).toEqual([eventAt(1), eventAt(2)]);
    expect(got[0]?.[1]).toMatchObject({ traceparent: TRACE, deliveries: 1 });
  },

  'given a span around handlers, when an event is handled, then the span has its name and its trace': async (given) => {
    const around: string[] = [];
    const options: ConsumeHandlersOptions = {
      log: given.log,
      around: async ({ name, traceparent }, run) => {
        around.push(`begin ${name} ${traceparent}`);
        const result = await run();
        around.push('end');
        return result;
      },
    };
    const handlers: EventHandlers = { 'run.planning-started': async () => void around.push('handled') };
    endAfter(given, consumeEvents(given.bus, 'planner', handlers, options));
    await publishEvent(given.bus, eventAt(1));
    await eventually('the end of the span', () => around.length === 3);
    expect(around).toEqual([`begin run.planning-started ${TRACE}`, 'handled', 'end']);
  },

  'given an event nobody handles, when it is published, then it is passed over': async (given) => {
    const { bus } = given;
    const got: number[] = [];
    follow(given, { 'run.planning-started': async ({ position }) => void got.push(position) });
    const unknown = { ...encodeEvent(eventAt(1)), subject: 'delta.events.run.dreamt.run-1' };
    await bus.store(unknown);
    await publishEvent(bus, eventAt(2));
    await eventually('the event after it', () => got.length === 1);
    expect(got).toEqual([2]);
  },

  'given a handler that fails, when it is tried again, then it can succeed': async (given) => {
    const { bus } = given;
    const deliveries: number[] = [];
    follow(given, {
      'run.planning-started': async (_event, context) => {
        deliveries.push(context.deliveries);
        if (context.deliveries < 3) throw new Error('not yet');
      },
    });
    await publishEvent(bus, eventAt(1));
    await eventually('three tries', () => deliveries.length === 3);
    expect(deliveries).toEqual([1, 2, 3]);
    expect(await listParked(bus, 1, 10)).toEqual({ ok: true, messages: [], nextSequence: null });
  },

  'given a handler that always fails, when it was tried often enough, then the event is parked as it was': async (
    given,
  ) => {
    const { bus } = given;
    let tries = 0;
    follow(given, {
      'run.planning-started': async () => {
        tries += 1;
        throw new RangeError('the disk is full');
      },
    });
    await publishEvent(bus, eventAt(1));

    const [message] = await parked(bus);
    const original = encodeEvent(eventAt(1));
    expect(message).toMatchObject({
      stream: 'EVENTS',
      consumer: 'planner',
      deliveries: 3,
      reason: 'RangeError: the disk is full',
      subject: eventSubject('run.planning-started', `run-${runId(1)}`),
    });
    expect(message?.headers).toEqual(original.headers);
    expect(Buffer.from(message?.body ?? []).equals(original.body)).toBe(true);
    expect(tries).toBe(3);
  },

  'given an event that does not fit its schema, when it is delivered, then it is parked without being handled': async (
    given,
  ) => {
    const { bus } = given;
    const got: number[] = [];
    follow(given, { 'run.planning-started': async ({ position }) => void got.push(position) });
    const broken = encodeEvent(eventAt(1));
    await bus.store({ ...broken, body: Buffer.from('{"specversion":"1.0"}') });
    await publishEvent(bus, eventAt(2));

    expect((await parked(bus))[0]?.reason).toMatch(/^not a CloudEvent: /);
    await eventually('the event after it', () => got.length === 1);
    expect(got).toEqual([2]);
  },

  'given a parked event, when it is sent back, then its service alone gets it again, with all its tries': async (
    given,
  ) => {
    const { bus } = given;
    let broken = true;
    const handled: number[] = [];
    follow(given, {
      'run.planning-started': async (event, context) => {
        if (broken) throw new Error('broken');
        handled.push(context.deliveries, event.position);
      },
    });
    await publishEvent(bus, eventAt(1));
    const [message] = await parked(bus);
    broken = false;

    expect(await retryParked(bus, message?.sequence ?? 0)).toBe('done');
    await eventually('the event handled', () => handled.length > 0);
    expect(handled).toEqual([1, 1]);
    expect(await listParked(bus, 1, 10)).toMatchObject({ messages: [] });
    expect(await retryParked(bus, message?.sequence ?? 0)).toBe('unknown');
  },

  'given a parked event, when it is dropped, then it is gone': async (given) => {
    const { bus } = given;
    follow(given, { 'run.planning-started': () => Promise.reject(new Error('no')) });
    await publishEvent(bus, eventAt(1));
    const [message] = await parked(bus);

    expect(await dropParked(bus, message?.sequence ?? 0)).toBe('done');
    expect(await dropParked(bus, message?.sequence ?? 0)).toBe('unknown');
    expect(await listParked(bus, 1, 10)).toMatchObject({ messages: [] });
  },
};

/** How events are handled side by side, and how a consumption ends. */
export const runningConsumptions: Contract = {
  'given a slow handler, when the ack wait passes, then the event does not come a second time': async (given) => {
    const { bus, log } = given;
    // Two events an attempt: the first is slow; the second fails, and its three pauses outlast the ack wait of the first.
    let last = 0;
    const seen = await undisturbed(ACK_WAIT_MS_TEST / 2, async () => {
      const [slow, failing] = [(last += 1), (last += 1)];
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      const got: string[] = [];
      const handle = async ({ position }: { position: number }, { deliveries }: DeliveryContext): Promise<void> => {
        got.push(`${position === slow ? 'slow' : 'failing'}, delivery ${deliveries}`);
        if (position === slow) await held;
        if (position === failing && deliveries < 4) throw new Error('not yet');
      };
      const retry = { maxDeliver: 4, backoffMs: [ACK_WAIT_MS_TEST] };
      const options = { log, retry, ackWaitMs: ACK_WAIT_MS_TEST };
      const consumption = endAfter(given, consumeEvents(bus, 'planner', { 'run.planning-started': handle }, options));
      await publishEvent(bus, eventAt(slow));
      await eventually('the slow event', () => got.length === 1);
      await publishEvent(bus, eventAt(failing));
      await eventually('the last delivery of the other', () => got.includes('failing, delivery 4'));
      release();
      await consumption.close();
      return got;
    });
    expect(seen).toEqual([
      'slow, delivery 1',
      'failing, delivery 1',
      'failing, delivery 2',
      'failing, delivery 3',
      'failing, delivery 4',
    ]);
  },

  'given events of several runs, when they are handled, then those of one run are in order and others beside it':
    async (given) => {
      const { bus } = given;
      const running = new Set<string>();
      const order: number[] = [];
      let most = 0;
      let overlap = false;
      follow(given, {
        'run.planning-started': async ({ stream, position }) => {
          overlap ||= running.has(stream);
          running.add(stream);
          most = Math.max(most, running.size);
          await bus.clock.sleep(5);
          running.delete(stream);
          order.push(position);
        },
      });
      for (let position = 1; position <= 12; position += 1) await publishEvent(bus, eventAt(position, position % 3));
      await eventually('all events', () => order.length === 12);

      for (const run of [0, 1, 2]) {
        const ofRun = order.filter((position) => position % 3 === run);
        expect(ofRun).toEqual(ofRun.toSorted((a, b) => a - b));
      }
      expect(overlap).toBe(false);
      expect(most).toBeGreaterThan(1);
    },

  'given a bound, when many events wait, then no more than that are in hand': async (given) => {
    const { bus } = given;
    let inHand = 0;
    let most = 0;
    let done = 0;
    const busy = async (): Promise<void> => {
      inHand += 1;
      most = Math.max(most, inHand);
      await bus.clock.sleep(2);
      inHand -= 1;
      done += 1;
    };
    for (let position = 1; position <= 20; position += 1) await publishEvent(bus, eventAt(position));
    follow(given, { 'run.planning-started': busy }, { concurrency: 3 });
    await eventually('all events', () => done === 20);
    expect(most).toBe(3);
  },

  'given an event in hand, when it is delivered again, then it is handled once, and takes nobody else’s place': async (
    given,
  ) => {
    const { bus } = given;
    const got: number[] = [];
    let again = 0;
    const pull = bus.pull.bind(bus);
    bus.pull = async (request, onDelivery) =>
      pull(request, (delivery) => {
        if (delivery.deliveries > 1) again += 1;
        onDelivery(delivery);
      });
    const first = Promise.withResolvers<void>();
    const handler = async ({ position }: { position: number }): Promise<void> => {
      got.push(position);
      if (position === 1) await first.promise;
    };
    follow(given, { 'run.planning-started': handler }, { concurrency: 2 });
    await publishEvent(bus, eventAt(1));
    await eventually('the event again', () => again > 0);
    await publishEvent(bus, eventAt(2));
    await eventually('the next event', () => got.length === 2);
    first.resolve();
    await publishEvent(bus, eventAt(3));
    await eventually('the last event', () => got.length === 3);
    expect(got).toEqual([1, 2, 3]);
  },

  'given two members of a service, when events are published, then each is handled by one of them': async (given) => {
    const { bus } = given;
    const got: number[] = [];
    const handlers: EventHandlers = { 'run.planning-started': async ({ position }) => void got.push(position) };
    follow(given, handlers);
    follow(given, handlers);
    for (let position = 1; position <= 10; position += 1) await publishEvent(bus, eventAt(position));
    await eventually('ten events', () => got.length >= 10);
    expect(got.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  },

  'given a handler at work, when closed, then it finishes and nothing more is taken': async (given) => {
    const { bus } = given;
    const got: string[] = [];
    const consumption = follow(given, {
      'run.planning-started': async ({ position }) => {
        got.push(`started ${position}`);
        await bus.clock.sleep(30);
        got.push(`finished ${position}`);
      },
    });
    await publishEvent(bus, eventAt(1));
    await eventually('a start', () => got.length > 0);
    await consumption.close();
    await publishEvent(bus, eventAt(2));
    expect(got).toEqual(['started 1', 'finished 1']);
  },

  'given a handler that does not end, when the drain is over, then its message goes to another member': async (
    given,
  ) => {
    const { bus } = given;
    const got: string[] = [];
    let aborted = false;
    const stuck = follow(given, {
      'run.planning-started': (_event, { signal }) => {
        got.push('stuck');
        return new Promise(() => signal.addEventListener('abort', () => (aborted = true)));
      },
    });
    await publishEvent(bus, eventAt(1));
    await eventually('the stuck handler', () => got.length === 1);
    await stuck.close(0);
    expect(aborted).toBe(true);

    follow(given, {
      'run.planning-started': async () => void got.push('other'),
    });
    await eventually('the other member', () => got.length === 2);
    expect(got).toEqual(['stuck', 'other']);
  },

  'given the store is lost, when it is provisioned again, then the same consumption goes on': async (given) => {
    const { bus, log, loseStore } = given;
    const got: number[] = [];
    follow(given, { 'run.planning-started': async ({ position }) => void got.push(position) });
    await publishEvent(bus, eventAt(1));
    await eventually('the first event', () => got.length === 1);
    await loseStore();
    await eventually('a warning', () => log.lines.some(({ level }) => level === 'warn'));
    await bus.provision(testTopology());
    await publishEvent(bus, eventAt(1));
    await eventually('the event of the new stream', () => got.length === 2);
  },
};

export const consumingReports: Contract = {
  'given a report is sent twice, when it is taken, then it comes once, with its trace': async (given) => {
    const { bus } = given;
    const got: unknown[] = [];
    const take = { 'planner.planning-failed': async (...all: unknown[]) => void got.push(all) };
    takeReports(given, take);
    const { kind, data, id, causation, traceparent } = reportOf(1);
    const client = new ReportClient(bus);

    expect(await client.send(kind, data, { id, causation, traceparent })).toEqual({ sent: true, repeated: false });
    expect(await client.send(kind, data, { id, causation, traceparent })).toEqual({ sent: true, repeated: true });
    await eventually('the report', () => got.length > 0);
    expect(got).toEqual([[reportOf(1), expect.objectContaining({ traceparent: TRACE, deliveries: 1 })]]);
  },

  'given a kind nobody takes, when it is delivered, then it is parked; sent back, it comes again': async (given) => {
    const { bus, log } = given;
    const first = consumeReports(bus, {}, { log, retry: QUICK });
    endAfter(given, first);
    const { kind, data, ...envelope } = reportOf(1);
    await new ReportClient(bus).send(kind, data, envelope);
    const [message] = await parked(bus);
    expect(message).toMatchObject({ reason: 'nobody takes planner.planning-failed reports', stream: 'REPORTS' });
    await first.close();

    const got: string[] = [];
    const take = { 'planner.planning-failed': async ({ id }: { id: string }) => void got.push(id) };
    takeReports(given, take);
    expect(await retryParked(bus, message?.sequence ?? 0)).toBe('done');
    await eventually('the report', () => got.length > 0);
    expect(got).toEqual(['report-1']);
  },

  'given data that does not fit, when it is sent, then it is refused by name': async ({ bus }) => {
    const { kind, causation, traceparent, data } = reportOf(1);
    const client = new ReportClient(bus);
    const sent = await client.send(kind, { ...data, code: '' }, { id: 'x', causation, traceparent });
    expect(sent).toMatchObject({ sent: false, refusal: { code: 'invalid_request' } });
  },

  'given no stream, when a report is sent, then it is refused as unavailable': async ({ bus, loseStore }) => {
    await loseStore();
    const { kind, data, ...envelope } = reportOf(1);
    const sent = await new ReportClient(bus).send(kind, data, envelope);
    expect(sent).toMatchObject({ sent: false, refusal: { code: 'unavailable' } });
  },
};
