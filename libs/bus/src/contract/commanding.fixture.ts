import { expect } from '@jest/globals';
import { CommandAnswer, refuse, type CommandAnswer as Answer } from '@delta-ci/contracts';
import { eventually } from '../../../../test/support/infra/index.ts';
import type { Bus } from '../bus.ts';
import { COMMAND_ROOM } from '../command-room.ts';
import { CommandClient, encodeCommand, serveAnswers, serveCommands, type CommandHandlers } from '../commands.ts';
import { message, textOf, type Contract, type Given } from './bus-fixture.fixture.ts';
import { TRACE, cancelCommand, runId } from './samples.fixture.ts';

const actor = { kind: 'service', name: 'gateway' } as const;
const options = { id: 'c-1', actor, traceparent: TRACE, timeoutMs: 5_000 };
const cancel = { runId: runId(1), reason: 'not needed any more' };

/** Serves commands on one connection and waits until the other reaches them. */
async function serve({ bus, other, log }: Given, handlers: CommandHandlers, room = COMMAND_ROOM): Promise<void> {
  serveCommands(bus, handlers, { log, room });
  await reachable(other);
}

const reachable = (bus: Bus): Promise<unknown> =>
  eventually('somebody who takes commands', async () => {
    const outcome = await bus.request(message('delta.commands.anybody-there', ''), 1_000);
    return outcome.outcome === 'answered';
  });

/** Sends what no client of ours would. */
async function raw(bus: Bus, subject: string, body: string): Promise<Answer> {
  const outcome = await bus.request(message(subject, body), 5_000);
  if (outcome.outcome !== 'answered') throw new Error(outcome.outcome);
  return CommandAnswer.parse(JSON.parse(textOf(outcome.message)));
}

/** Commands: every request gets an answer, and every failure a name. */
export const commanding: Contract = {
  'given a handler, when a command is sent, then it gets the whole command and its answer comes back': async (
    given,
  ) => {
    const { other } = given;
    const got: unknown[] = [];
    await serve(given, {
      'cancel-run': async (command) => {
        got.push(command);
        return { ok: true, result: { runId: command.data.runId }, position: 7 };
      },
    });
    const answer = await new CommandClient(other).send('cancel-run', cancel, options);
    expect(answer).toEqual({ ok: true, result: { runId: runId(1) }, position: 7 });
    expect(got).toEqual([{ ...cancelCommand('c-1') }]);
  },

  'given a refusal, when it is answered, then it comes back as it is': async (given) => {
    const { other } = given;
    const refusal = refuse('not_cancelable', 'the run has finished', { outcome: 'failed' });
    await serve(given, { 'cancel-run': async () => ({ ok: false, refusal }) });
    expect(await new CommandClient(other).send('cancel-run', cancel, options)).toEqual({ ok: false, refusal });
  },

  'given no handler of that name, when it is sent, then it is unknown_command': async (given) => {
    const { other } = given;
    await serve(given, {});
    const answer = await new CommandClient(other).send('cancel-run', cancel, options);
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'unknown_command' } });
    expect(await raw(other, 'delta.commands.launch-rocket', '{}')).toMatchObject({
      refusal: { code: 'unknown_command' },
    });
  },

  'given a command for another subject, when it is sent, then it is invalid_request': async (given) => {
    const { other } = given;
    await serve(given, { rerun: async () => ({ ok: true, result: { runId: runId(1) }, position: 1 }) });
    const body = Buffer.from(encodeCommand(cancelCommand('c')).body).toString();
    expect(await raw(other, 'delta.commands.rerun', body)).toMatchObject({
      refusal: { code: 'invalid_request', message: 'cancel-run was sent to the subject of rerun' },
    });
  },

  'given a handler that throws, when a command is sent, then the answer is internal and says nothing of it': async (
    given,
  ) => {
    const { other } = given;
    await serve(given, { 'cancel-run': () => Promise.reject(new Error('password=hunter2')) });
    const answer = await new CommandClient(other).send('cancel-run', cancel, options);
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'internal' } });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  },

  'given an answer of another shape, when it comes, then it is internal': async ({ bus, other, log }) => {
    const wrong = { 'cancel-run': async () => ({ ok: true, result: { run: 1 }, position: 1 }) as const };
    serveAnswers(bus, wrong, { log });
    await reachable(other);
    const answer = await new CommandClient(other).send('cancel-run', cancel, options);
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'internal' } });
  },

  'given nobody serves, when a command is sent, then it is unavailable': async ({ other }) => {
    const answer = await new CommandClient(other).send('cancel-run', cancel, options);
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'unavailable' } });
  },

  'given no answer in time, when a command is sent, then it timed_out': async (given) => {
    const { other } = given;
    await serve(given, { 'cancel-run': () => new Promise(() => undefined) });
    const answer = await new CommandClient(other).send('cancel-run', cancel, { ...options, timeoutMs: 100 });
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'timed_out' } });
  },

  'given data that does not fit, when it is sent, then it is refused before it leaves': async ({ other }) => {
    const answer = await new CommandClient(other).send('cancel-run', { ...cancel, runId: 'mine' }, options);
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'invalid_request' } });
  },

  'given too many commands at once, when one more comes, then it is unavailable at once': async (given) => {
    const { other } = given;
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let inHand = 0;
    await serve(
      given,
      {
        'cancel-run': async () => {
          inHand += 1;
          await held;
          return { ok: true, result: { runId: runId(1) }, position: 1 };
        },
      },
      { ...COMMAND_ROOM, 'work-under-way': 1 },
    );
    const client = new CommandClient(other);
    const first = client.send('cancel-run', cancel, options);
    await eventually('the first in hand', () => inHand === 1);
    expect(await client.send('cancel-run', cancel, { ...options, id: 'c-2' })).toMatchObject({
      ok: false,
      refusal: { code: 'unavailable', details: { retryAfterMs: 1_000 } },
    });
    release();
    expect(await first).toMatchObject({ ok: true });
  },

  ...refuses('no JSON', 'hello'),
  ...refuses('another shape', '{"name":"cancel-run"}'),
  ...refuses('another command', JSON.stringify({ ...cancelCommand('c'), name: 'rerun' })),
  ...refuses('an unknown field', JSON.stringify({ ...cancelCommand('c'), admin: true })),
  ...refuses('a lone surrogate', '\ud800'),
};

function refuses(what: string, body: string): Contract {
  const test = async (given: Given): Promise<void> => {
    let handled = false;
    await serve(given, {
      'cancel-run': async () => {
        handled = true;
        return { ok: true, result: { runId: runId(1) }, position: 1 };
      },
    });
    const answer = await raw(given.other, 'delta.commands.cancel-run', body);
    expect(answer).toMatchObject({ refusal: { code: 'invalid_request' } });
    expect(handled).toBe(false);
  };
  return { [`given ${what}, when it is sent, then it is invalid_request and not handled`]: test };
}
