import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, freshNats, type FreshNats } from '../../../../test/support/infra/index.ts';
import type { Bus, BusAnswer } from '../bus.ts';
import { CommandClient, serveCommands } from '../commands.ts';
import { keptLog, message, textOf } from '../contract/bus-fixture.fixture.ts';
import { runId, TRACE } from '../contract/samples.fixture.ts';
import { connectBus } from './connect.ts';

const ASKED_MS = 20_000;
const SMALL: BusAnswer = { headers: {}, body: Buffer.from('small') };

describe('an answer that the server does not take', () => {
  let server: FreshNats;
  let asking: Bus;
  let answering: Bus;
  const log = keptLog();
  beforeAll(async () => {
    server = await freshNats();
    const connect = async (): Promise<Bus> => connectBus({ servers: [server.url], name: 'answers', log });
    [asking, answering] = await Promise.all([connect(), connect()]);
  });
  afterAll(async () => {
    await Promise.all([asking.close(), answering.close()]);
    await server.remove();
  });

  it.each<[string, string, () => BusAnswer, string]>([
    [
      'is larger than a message may be',
      'large',
      () => ({ headers: {}, body: new Uint8Array(answering.bodyBytesMax * 2) }),
      'max_payload',
    ],
    [
      'has a header of two lines',
      'lines',
      () => ({ headers: { note: 'one\ntwo' }, body: new Uint8Array() }),
      'more than one line',
    ],
  ])('that %s, when asked, then it failed, and the next one is answered', async (_case, token, unsendable, why) => {
    const subject = `delta.spec.${token}`;
    const answer = async (request: Parameters<typeof textOf>[0]): Promise<BusAnswer> =>
      textOf(request) === 'bad' ? unsendable() : SMALL;
    const listener = answering.answer(subject, 'spec', answer);
    const ask = (text: string) => asking.request(message(subject, text), ASKED_MS);
    await eventually('somebody who answers', async () => (await ask('good')).outcome === 'answered');

    expect(await ask('bad')).toEqual({ outcome: 'failed' });
    const fields = { subject, reason: expect.stringContaining(why) };
    expect(log.lines).toContainEqual({ level: 'error', fields, message: 'a request could not be answered' });
    expect(await ask('good')).toMatchObject({ outcome: 'answered' });
    await listener.stop();
  });

  it('that is the result of a command, then its sender is told that it was our fault', async () => {
    const tooLong = 'x'.repeat(answering.bodyBytesMax * 2);
    const result = { runId: runId(1), state: tooLong } as never;
    const listener = serveCommands(
      answering,
      { 'cancel-run': async () => ({ ok: true, result, position: 1 }) },
      { log },
    );
    const options = { id: 'c-1', actor: { kind: 'service', name: 'gateway' }, traceparent: TRACE } as const;
    const answer = await eventually('somebody who takes commands', async () => {
      const said = await new CommandClient(asking).send('cancel-run', { runId: runId(1), reason: 'spec' }, options);
      return (said.ok || said.refusal.code !== 'unavailable') && said;
    });
    expect(answer).toEqual({
      ok: false,
      refusal: { code: 'internal', message: 'our fault; repeat with the same id', details: {} },
    });
    await listener.stop();
  });
});
