import { describe, expect, it } from '@jest/globals';
import { Secret } from '../config/secret.ts';
import { createLogger, withIds, type Logger } from './create-logger.ts';
import { leaseHashOf } from './lease-hash.ts';
import { NestLogger } from './nest-logger.ts';
import { createRedactor } from './redaction.ts';

const LEASE = 'cd'.repeat(32);

function recorded(pretty = false): { logger: Logger; text: () => string; lines: () => Record<string, unknown>[] } {
  let text = '';
  const logger = createLogger({
    service: 'tiny',
    instance: 'tiny-1',
    level: 'trace',
    pretty,
    redactor: createRedactor([new Secret('fake-learned-secret')]),
    sink: { write: (line) => (text += line) },
  });
  const lines = () =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { logger, lines, text: () => text };
}

describe('log lines', () => {
  it('carry the service, the bound ids and the hash of the lease, never the lease', () => {
    const { logger, lines, text } = recorded();
    const bound = withIds(logger, { run: 'run_1', job: 'unit', repository: 'github/a/b', leaseId: LEASE });
    bound.info({ event: 'lease-granted' }, 'granted');
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        service: 'tiny',
        instance: 'tiny-1',
        run: 'run_1',
        job: 'unit',
        repository: 'github/a/b',
        lease_hash: leaseHashOf(LEASE),
        event: 'lease-granted',
        msg: 'granted',
      },
    ]);
    expect(text()).not.toContain(LEASE);
  });

  it('hide secrets in messages, fields, errors and the bindings of children', () => {
    const { logger, text, lines } = recorded();
    logger.info('using fake-learned-secret');
    logger.info('%s', 'Bearer fakefakefakefake');
    logger.error(new Error('fake-learned-secret is wrong'));
    logger.warn({ authorization: 'hidden-1', deep: { leaseId: 'hidden-2' } });
    logger.child({ token: 'hidden-3', lease_id: 'hidden-4' }).info('bound');
    expect(lines()).toHaveLength(5);
    expect(text()).not.toMatch(/fake-learned-secret|fakefakefake|hidden-/);
  });

  it('show a person the time, the level, the message and the rest', () => {
    const { logger, text } = recorded(true);
    logger.warn({ event: 'queue-full', depth: 3 }, 'waiting');
    logger.error({ err: new Error('broken') }, 'no luck');
    expect(text()).toContain(' \u001b[33mwarn \u001b[0m waiting event=queue-full depth=3\n');
    expect(text()).toMatch(/^\d\d:\d\d:\d\d\.\d{3} /);
    expect(text()).toMatch(/no luck\nError: broken\n {4}at /);
  });
});

describe('what Nest logs', () => {
  it('arrives at our levels, with its context as the component', () => {
    const { logger, lines } = recorded();
    const nest = new NestLogger(logger);
    nest.log('Mapped route', 'RouterExplorer');
    nest.log('hello', 'EchoController');
    nest.error('failed', 'the stack', 'ExceptionsHandler');
    nest.error(new Error('thrown'), undefined, 'ExceptionsHandler');
    nest.warn({ odd: true }, 'Somewhere');
    expect(lines()).toMatchObject([
      { level: 'debug', component: 'RouterExplorer', msg: 'Mapped route' },
      { level: 'info', component: 'EchoController', msg: 'hello' },
      { level: 'error', component: 'ExceptionsHandler', stack: 'the stack', msg: 'failed' },
      { level: 'error', component: 'ExceptionsHandler', err: { message: 'thrown' }, msg: 'thrown' },
      { level: 'warn', component: 'Somewhere', detail: { odd: true } },
    ]);
  });
});
