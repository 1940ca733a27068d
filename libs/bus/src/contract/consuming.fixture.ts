import { expect } from '@jest/globals';
import { eventSubject, type RecordedEventOf } from '@delta-ci/contracts';
import { eventually } from '../../../../test/support/infra/index.ts';
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
import { type Contract, type Given } from './bus-fixture.fixture.ts';
import { QUICK, endAfter, follow } from './running-consumptions.fixture.ts';
import { TRACE, eventAt, reportOf, runId } from './samples.fixture.ts';

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
