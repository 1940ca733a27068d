import { expect } from '@jest/globals';
import { eventually, undisturbed } from '../../../../test/support/infra/index.ts';
import type { Bus } from '../bus.ts';
import {
  consumeEvents,
  type ConsumeHandlersOptions,
  type DeliveryContext,
  type EventHandlers,
} from '../consume-events.ts';
import type { Consumption } from '../consume.ts';
import { publishEvent } from '../log-events.ts';
import { ACK_WAIT_MS_TEST, testTopology, type Contract, type Given } from './bus-fixture.fixture.ts';
import { eventAt, runId } from './samples.fixture.ts';

export const QUICK = { maxDeliver: 3, backoffMs: [10, 20] };

export function endAfter({ atEnd }: Given, consumption: Consumption): Consumption {
  atEnd(() => consumption.close(0));
  return consumption;
}

export const follow = (
  given: Given,
  handlers: EventHandlers,
  options: Partial<ConsumeHandlersOptions> = {},
): Consumption =>
  endAfter(given, consumeEvents(given.bus, 'planner', handlers, { log: given.log, retry: QUICK, ...options }));

/** Tells of each delivery of a message but its first, by its sequence, before the consumption sees it. */
function onAgain(bus: Bus, told: (sequence: number) => void): void {
  const pull = bus.pull.bind(bus);
  bus.pull = async (request, onDelivery) =>
    pull(request, (delivery) => {
      if (delivery.deliveries > 1) told(delivery.sequence);
      onDelivery(delivery);
    });
}

/** How events are handled side by side, and how a consumption ends. */
export const runningConsumptions: Contract = {
  'given a slow handler, when the ack wait passes, then the event does not come a second time': async (given) => {
    const { bus, log } = given;
    let again: number[] = [];
    onAgain(bus, (sequence) => again.push(sequence));
    // Two events an attempt: the first is slow; the second fails, and its three pauses outlast the ack wait of the first.
    let last = 0;
    const seen = await undisturbed(ACK_WAIT_MS_TEST / 2, async () => {
      const [slow, failing] = [(last += 1), (last += 1)];
      again = [];
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
      return [...got, ...again.filter((sequence) => sequence === slow).map(() => 'slow, again')];
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
    onAgain(bus, () => (again += 1));
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

  'given events that wait for another of their run, when one of another run comes, then it is handled': async (
    given,
  ) => {
    const { bus } = given;
    const got: number[] = [];
    const first = Promise.withResolvers<void>();
    const handler = async ({ position }: { position: number }): Promise<void> => {
      got.push(position);
      if (position === 1) await first.promise;
    };
    follow(given, { 'run.planning-started': handler }, { concurrency: 2 });
    for (const [position, run] of [1, 1, 1, 2].entries()) await publishEvent(bus, eventAt(position + 1, run));
    await eventually('the other run', () => got.includes(4));
    expect(got).toEqual([1, 4]);
    first.resolve();
    await eventually('all events', () => got.length === 4);
  },

  'given an event in hand whose sequence was handed out again, when it is handled, then the other one is not settled by it':
    async (given) => {
      const { bus, loseStore } = given;
      const told: number[] = [];
      const [old, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const handler = async (event: { stream: string }, { deliveries }: DeliveryContext): Promise<void> => {
        const run = event.stream === `run-${runId(1)}` ? 1 : 2;
        told.push(run);
        await (run === 1 ? old : other).promise;
        if (run === 2 && deliveries === 1) throw new Error('not yet');
      };
      follow(
        given,
        { 'run.planning-started': handler },
        { concurrency: 2, retry: { maxDeliver: 3, backoffMs: [300] } },
      );
      await publishEvent(bus, eventAt(1, 1));
      await eventually('the first in hand', () => told.length === 1);
      await loseStore();
      await bus.provision(testTopology());
      await publishEvent(bus, eventAt(1, 2));
      await eventually('both in hand', () => told.length === 2);
      other.resolve();
      await eventually('the other one handed back', () =>
        given.log.lines.some((line) => line.message.startsWith('handler failed')),
      );
      old.resolve();
      await eventually('the other one again', () => told.length === 3);
      expect(told).toEqual([1, 2, 2]);
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
