import { expect } from '@jest/globals';
import { eventually, undisturbed } from '../../../../test/support/infra/index.ts';
import type { Bus, Delivery } from '../bus.ts';
import { ACK_WAIT_MS_TEST, GO_ON, message, pullAll, textOf, type Contract, type Given } from './bus-fixture.fixture.ts';

const report = (bus: Bus, number: number): Promise<unknown> =>
  bus.store(message(`delta.reports.planner.planning-failed.${number}`, `report ${number}`));

/** Pulls until one message comes: redeliveries take their time. */
const next = (bus: Bus): Promise<Delivery> =>
  eventually('a delivery', async () => {
    const { deliveries } = await pullAll(bus, 'REPORTS', 'orchestrator', { max: 1, expiresMs: 1_000 });
    return deliveries[0];
  });

/** Durable consumers: what a pull gives, and how it ends. */
export const pulling: Contract = {
  'given stored messages, when pulled, then they come in order with their headers': async ({ bus }) => {
    await report(bus, 1);
    await bus.store(message('delta.reports.planner.planning-failed.2', 'report 2', { traceparent: 'abc' }));

    const { end, deliveries } = await pullAll(bus, 'REPORTS', 'orchestrator', { max: 2, expiresMs: 5_000 });
    expect(end).toBe('filled');
    expect(deliveries.map(textOf)).toEqual(['report 1', 'report 2']);
    expect(deliveries.map(({ sequence, deliveries: count }) => [sequence, count])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(deliveries[1]?.headers.traceparent).toBe('abc');
    expect(deliveries[1]).toMatchObject({ stream: 'REPORTS', consumer: 'orchestrator' });
  },

  'given nothing, when pulled without waiting, then the pull is over at once': async ({ bus }) => {
    expect(await pullAll(bus, 'REPORTS', 'orchestrator')).toEqual({ end: 'expired', deliveries: [] });
  },

  'given fewer than asked for, when pulled without waiting, then those come': async ({ bus }) => {
    await report(bus, 1);
    const { end, deliveries } = await pullAll(bus, 'REPORTS', 'orchestrator', { max: 5 });
    expect(end).toBe('expired');
    expect(deliveries.map(textOf)).toEqual(['report 1']);
  },

  'given a pull that waits, when a message is stored, then it is delivered': async ({ bus }) => {
    const pulled = pullAll(bus, 'REPORTS', 'orchestrator', { max: 1, expiresMs: 20_000 });
    await report(bus, 1);
    expect((await pulled).deliveries.map(textOf)).toEqual(['report 1']);
  },

  'given no such consumer or stream, when pulled, then it is missing': async ({ bus, loseStore }) => {
    expect((await pullAll(bus, 'REPORTS', 'nobody')).end).toBe('missing');
    await loseStore();
    expect((await pullAll(bus, 'REPORTS', 'orchestrator', { expiresMs: 1_000 })).end).toBe('missing');
  },

  'given a pull that waits, when the store is lost, then it ends and says so': async ({ bus, loseStore }) => {
    const pulled = pullAll(bus, 'REPORTS', 'orchestrator', { max: 1, expiresMs: 30_000 });
    await bus.streamState('REPORTS');
    await loseStore();
    expect((await pulled).end).toBe('missing');
  },

  'given a pull that waits, when it is aborted, then the next message goes to the next one who asks': async ({
    bus,
  }) => {
    const leaving = new AbortController();
    const pulled = pullAll(bus, 'REPORTS', 'orchestrator', { max: 1, expiresMs: 30_000, signal: leaving.signal });
    await bus.streamState('REPORTS');
    leaving.abort();
    expect((await pulled).end).toBe('aborted');

    await report(bus, 1);
    expect((await next(bus)).deliveries).toBeLessThanOrEqual(2);
  },

  'given an aborted signal, when pulled, then nothing is asked for': async ({ bus }) => {
    await report(bus, 1);
    expect(await pullAll(bus, 'REPORTS', 'orchestrator', { signal: AbortSignal.abort() })).toEqual({
      end: 'aborted',
      deliveries: [],
    });
    expect((await next(bus)).deliveries).toBe(1);
  },

  'given a filter, when other subjects are stored, then they do not come': async ({ bus }) => {
    await bus.store(message('delta.events.job.readied.run-1', 'not for the planner'));
    await bus.store(message('delta.events.run.created.run-1', 'for the planner'));

    const { deliveries } = await pullAll(bus, 'EVENTS', 'planner', { max: 1, expiresMs: 5_000 });
    expect(deliveries.map(textOf)).toEqual(['for the planner']);
  },
};

/** Settling deliveries: acks, redelivery, and what is never delivered again. */
export const acknowledging: Contract = {
  'given an acked message, when pulled again, then it does not come, on another connection neither': async ({
    bus,
    connect,
  }) => {
    await report(bus, 1);
    await report(bus, 2);
    (await next(bus)).ack();

    const other = await connect();
    expect(textOf(await next(other))).toBe('report 2');
  },

  'given a nak with a delay, when the delay is over, then it comes again and counts': async ({ bus }) => {
    await report(bus, 1);
    (await next(bus)).nak(200);
    const again = await next(bus);
    expect([textOf(again), again.deliveries]).toEqual(['report 1', 2]);
    again.nak(0);
    expect((await next(bus)).deliveries).toBe(3);
  },

  'given a message nobody settles, when the ack wait is over, then it comes again': async ({ bus }) => {
    await report(bus, 1);
    await next(bus);
    expect((await next(bus)).deliveries).toBe(2);
  },

  'given a message in progress, when more than the ack wait passes, then it does not come again': async ({ bus }) => {
    let number = 0;
    const cameAgain = await undisturbed(ACK_WAIT_MS_TEST / 2, async () => {
      await report(bus, (number += 1));
      const held = await next(bus);
      const holdUntil = bus.clock.nowMs() + 4 * ACK_WAIT_MS_TEST;
      const signs = setInterval(() => held.inProgress(), ACK_WAIT_MS_TEST / 8);
      const meanwhile: Delivery[] = [];
      const request = { stream: 'REPORTS', consumer: 'orchestrator', max: 1, expiresMs: 1_000, signal: GO_ON } as const;
      while (bus.clock.nowMs() < holdUntil) await bus.pull(request, (delivery) => meanwhile.push(delivery));
      clearInterval(signs);
      for (const delivery of [held, ...meanwhile]) delivery.ack();
      return meanwhile.map(textOf);
    });

    expect(cameAgain).toEqual([]);
  },

  'given a settled message, when it is settled otherwise, then the first word counts': async ({ bus }) => {
    await report(bus, 1);
    const delivery = await next(bus);
    delivery.ack();
    delivery.nak(0);
    await report(bus, 2);
    expect(textOf(await next(bus))).toBe('report 2');
  },

  'given a terminated message, when pulled again, then it does not come': async ({ bus }) => {
    await report(bus, 1);
    (await next(bus)).term();
    await report(bus, 2);
    expect(textOf(await next(bus))).toBe('report 2');
  },

  ...leavesTheQueue('ack'),
  ...leavesTheQueue('term'),
};

function leavesTheQueue(word: 'ack' | 'term'): Contract {
  const test = async ({ bus }: Given): Promise<void> => {
    await bus.store(message('delta.dispatch.default', 'work'));
    const { deliveries } = await pullAll(bus, 'DISPATCH', 'dispatch-default', { max: 1, expiresMs: 5_000 });
    deliveries[0]?.[word]();
    await eventually('an empty queue', async () => {
      const state = await bus.streamState('DISPATCH');
      return state.outcome === 'known' && state.messages === 0;
    });
  };
  return { [`given a work queue, when a message gets its ${word}, then it is gone`]: test };
}
