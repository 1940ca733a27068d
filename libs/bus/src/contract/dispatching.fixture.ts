import { expect } from '@jest/globals';
import { eventually } from '../../../../test/support/infra/index.ts';
import { encodeDispatch, publishDispatch, pullDispatch, type PullDispatchOutcome } from '../dispatch.ts';
import { announceLogGrew, onLogGrew } from '../log-signals.ts';
import { listParked } from '../parked.ts';
import { GO_ON, type Contract, type Given } from './bus-fixture.fixture.ts';
import { dispatchOf, runId } from './samples.fixture.ts';

const pull = (
  { bus, log }: Given,
  pool: string,
  options: { max?: number; expiresMs?: number; signal?: AbortSignal } = {},
): Promise<PullDispatchOutcome> => pullDispatch(bus, pool, { max: 10, expiresMs: 0, signal: GO_ON, log, ...options });

/** Dispatch: queued attempts, pulled by pool, driven again when their message was lost. */
export const dispatching: Contract = {
  'given queued attempts of two pools, when one pool is pulled, then it gets its own, in order': async (given) => {
    const { bus } = given;
    await publishDispatch(bus, dispatchOf(1), 0);
    await publishDispatch(bus, dispatchOf(2, 'big'), 0);
    await publishDispatch(bus, dispatchOf(3), 0);

    const { messages } = await pull(given, 'default');
    expect(messages.map(({ dispatch }) => dispatch)).toEqual([dispatchOf(1), dispatchOf(3)]);
  },

  'given nothing queued, when pulled with patience, then the next attempt comes': async (given) => {
    const { bus } = given;
    const pulled = pull(given, 'default', { expiresMs: 20_000 });
    await publishDispatch(bus, dispatchOf(1), 0);
    expect((await pulled).messages).toHaveLength(1);
  },

  'given nothing queued, when pulled without patience, then nothing comes': async (given) => {
    expect(await pull(given, 'default')).toEqual({ messages: [], end: 'expired', wasDrained: true });
  },

  'given a runner that leaves, when its pull is aborted, then it ends': async (given) => {
    const leaving = new AbortController();
    const pulled = pull(given, 'default', { expiresMs: 20_000, signal: leaving.signal });
    leaving.abort();
    expect(await pulled).toEqual({ messages: [], end: 'aborted', wasDrained: false });
  },

  'given an attempt in hand, when it is handed back, then another gets it; acked, it is gone': async (given) => {
    const { bus } = given;
    await publishDispatch(bus, dispatchOf(1), 0);
    const first = await pull(given, 'default');
    first.messages[0]?.nak(0);
    const [again] = (await pull(given, 'default', { expiresMs: 5_000 })).messages;
    expect(again?.deliveries).toBe(2);
    again?.ack();
    await eventually('an empty queue', async () => {
      const state = await bus.streamState('DISPATCH');
      return state.outcome === 'known' && state.messages === 0;
    });
  },

  'given an attempt driven twice, when it has the same number, then there is one message, with the next two': async (
    given,
  ) => {
    const { bus } = given;
    expect(await publishDispatch(bus, dispatchOf(1), 0)).toMatchObject({ outcome: 'stored' });
    expect(await publishDispatch(bus, dispatchOf(1), 0)).toMatchObject({ outcome: 'duplicate' });
    expect(await publishDispatch(bus, dispatchOf(1), 1)).toMatchObject({ outcome: 'stored' });
    expect((await pull(given, 'default')).messages).toHaveLength(2);
  },

  'given a message that is no dispatch, when pulled, then it is parked and the next one comes': async (given) => {
    const { bus } = given;
    const broken = encodeDispatch(dispatchOf(1));
    await bus.store({ ...broken, headers: { 'content-type': 'text/plain' } });
    await publishDispatch(bus, dispatchOf(2), 0);

    expect((await pull(given, 'default')).messages.map(({ dispatch }) => dispatch.runId)).toEqual([runId(2)]);
    expect(await listParked(bus, 1, 10)).toMatchObject({
      messages: [{ stream: 'DISPATCH', consumer: 'dispatch-default', reason: expect.stringContaining('content type') }],
    });
  },

  'given a pool nobody provisioned, when pulled, then that is said': async (given) => {
    expect(await pull(given, 'unheard-of')).toEqual({ messages: [], end: 'missing', wasDrained: false });
  },

  'given a follower of a log, when it grows, then the follower hears it': async ({ bus, connect }) => {
    let grew = 0;
    const listener = onLogGrew(bus, runId(1), 'unit', () => (grew += 1));
    const other = await connect();
    await eventually('a signal', () => {
      announceLogGrew(other, runId(2), 'unit');
      announceLogGrew(other, runId(1), 'unit');
      return grew > 0;
    });
    await listener.stop();
  },
};
