import { expect } from '@jest/globals';
import { eventually } from '../../../../test/support/infra/index.ts';
import type { Bus, BusMessage } from '../bus.ts';
import { message, textOf, type Contract } from './bus-fixture.fixture.ts';

/** Repeats an announcement until somebody hears it: a new listener takes a moment to be known. */
const untilHeard = (from: Bus, heard: readonly unknown[], announced: BusMessage): Promise<unknown> =>
  eventually('a heard announcement', () => {
    from.announce(announced);
    return heard.length > 0;
  });

const echo = async (request: BusMessage): Promise<BusMessage> => message('', `echo ${textOf(request)}`);

const failedLine = (fields: object): object => ({
  level: 'error',
  fields,
  message: 'a request could not be answered',
});

/** What is not stored: announcements, and requests with their answers. */
export const talking: Contract = {
  'given a listener with a wildcard, when something is announced, then it hears it': async ({ bus, other }) => {
    const heard: BusMessage[] = [];
    const listener = bus.listen('delta.logs.>', (announced) => heard.push(announced));
    await untilHeard(other, heard, message('delta.logs.run_1.unit', 'grew', { 'x-note': 'kept' }));

    expect(heard[0]).toMatchObject({ subject: 'delta.logs.run_1.unit' });
    expect(heard[0]?.headers['x-note']).toBe('kept');
    await listener.stop();
  },

  'given a listener, when a message is stored, then it hears that too': async ({ bus, other }) => {
    const heard: BusMessage[] = [];
    bus.listen('delta.reports.>', (announced) => heard.push(announced));
    await eventually('a heard report', async () => {
      await other.store(message('delta.reports.a.b.1', 'report'));
      return heard.length > 0;
    });
  },

  'given nobody listens, when something is announced, then nothing is wrong': async ({ other }) => {
    other.announce(message('delta.logs.nobody', 'grew'));
    expect(other.isConnected()).toBe(true);
  },

  'given somebody answers, when asked, then the answer comes': async ({ bus, other }) => {
    bus.answer('delta.commands.*', 'orchestrator', echo);
    const reply = await eventually('an answer', async () => {
      const outcome = await other.request(message('delta.commands.x', 'hello'), 5_000);
      return outcome.outcome === 'answered' && outcome.message;
    });
    expect(textOf(reply)).toBe('echo hello');
  },

  'given nobody answers, when asked, then that is said at once': async ({ other }) => {
    expect(await other.request(message('delta.commands.x', 'hello'), 20_000)).toEqual({ outcome: 'unattended' });
  },

  'given somebody is too slow, when asked, then the time is over': async ({ bus, other }) => {
    let asked = 0;
    bus.answer('delta.commands.*', 'orchestrator', () => {
      asked += 1;
      return new Promise(() => undefined);
    });
    await eventually('a request that arrived', async () => {
      const outcome = await other.request(message('delta.commands.x', 'hello'), 100);
      return asked > 0 && outcome.outcome === 'timed-out';
    });
  },

  'given a handler that throws, when asked, then that is said at once, why stands in its log alone, and it answers on':
    async ({ bus, other, log }) => {
      const listener = bus.answer('delta.commands.*', 'orchestrator', (request) => {
        if (textOf(request) === 'reject') return Promise.reject(new Error('password=hunter2'));
        if (textOf(request) === 'throw') throw new Error('at once');
        return echo(request);
      });
      const ask = (text: string) => other.request(message('delta.commands.x', text), 20_000);
      await eventually('somebody who answers', async () => (await ask('hello')).outcome === 'answered');

      expect(await ask('reject')).toEqual({ outcome: 'failed' });
      expect(await ask('throw')).toEqual({ outcome: 'failed' });
      expect(log.lines.filter(({ level }) => level === 'error')).toEqual([
        failedLine({ subject: 'delta.commands.x', reason: 'Error: password=hunter2' }),
        failedLine({ subject: 'delta.commands.x', reason: 'Error: at once' }),
      ]);
      expect(await ask('hello')).toMatchObject({ outcome: 'answered' });
      await listener.stop();
    },

  'given a handler that throws pages, when asked, then its log gets the beginning': async ({ bus, other, log }) => {
    bus.answer('delta.commands.*', 'orchestrator', () => Promise.reject(new Error('x'.repeat(100_000))));
    await eventually('somebody who fails', async () => {
      const { outcome } = await other.request(message('delta.commands.x', ''), 20_000);
      return outcome === 'failed';
    });
    const reason = `Error: ${'x'.repeat(493)}`;
    expect(log.lines).toContainEqual(failedLine({ subject: 'delta.commands.x', reason }));
  },

  'given two members of one queue, when asked many times, then each request goes to one and both get some': async ({
    bus,
    other,
    connect,
  }) => {
    const third = await connect();
    const taken: string[] = [];
    const member = (name: string) => async () => {
      taken.push(name);
      return message('', name);
    };
    bus.answer('delta.commands.*', 'orchestrator', member('a'));
    third.answer('delta.commands.*', 'orchestrator', member('b'));
    let sent = 0;
    await eventually('both members at work', async () => {
      const { outcome } = await other.request(message('delta.commands.x', ''), 5_000);
      if (outcome === 'answered') sent += 1;
      return new Set(taken).size === 2;
    });
    expect(taken).toHaveLength(sent);
  },

  'given a responder that stops, when it is asked again, then nobody answers, but what it had is answered': async ({
    bus,
    other,
  }) => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let asked = 0;
    const listener = bus.answer('delta.commands.*', 'orchestrator', async (request) => {
      asked += 1;
      await held;
      return echo(request);
    });
    const first = eventually('an answer to the first', async () => {
      const outcome = await other.request(message('delta.commands.x', 'first'), 20_000);
      return outcome.outcome === 'answered' && outcome;
    });
    await eventually('the first request', () => asked > 0);
    const stopped = listener.stop();
    release();
    await stopped;

    expect((await first).outcome).toBe('answered');
    await eventually('nobody there', async () => {
      const { outcome } = await other.request(message('delta.commands.x', 'second'), 5_000);
      return outcome === 'unattended';
    });
  },

  'given a closed bus, when it is used, then it says that nobody is there': async ({ other }) => {
    await other.close();
    expect(other.isConnected()).toBe(false);
    expect(await other.store(message('delta.reports.a.b.1', 'x'))).toMatchObject({ outcome: 'unreachable' });
    expect(await other.request(message('delta.commands.x', ''), 1_000)).toMatchObject({ outcome: 'unreachable' });
    expect(await other.streamState('EVENTS')).toMatchObject({ outcome: 'unreachable' });
  },
};
