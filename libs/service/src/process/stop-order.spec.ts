import { describe, expect, it } from '@jest/globals';
import { Health } from '../health/health.ts';
import { createLogger } from '../logging/create-logger.ts';
import { createRedactor } from '../logging/redaction.ts';
import { StopOrder } from './stop-order.ts';

function prepared(graceMs = 60_000): { order: StopOrder; health: Health; done: string[] } {
  const redactor = createRedactor();
  const sink = { write: () => undefined };
  const logger = createLogger({ service: 's', instance: 'i', level: 'silent', pretty: false, redactor, sink });
  const health = new Health(logger, redactor);
  return { order: new StopOrder(logger, health, { graceMs, delayMs: 0 }), health, done: [] };
}

describe('the order of stopping', () => {
  it('is: not ready, no intake, finish work, close in reverse order; and it happens once', async () => {
    const { order, health, done } = prepared();
    order.stopping.addEventListener('abort', () => done.push('intake ends'));
    for (const name of ['database', 'bus', 'http']) {
      await order.open(
        name,
        () => name,
        (resource) => void done.push(`close ${resource}`),
      );
    }
    order.beforeClosing('work', async () => {
      done.push(`finish while ${(await health.readiness()).status}`);
    });
    expect((await health.readiness()).status).toBe('ready');

    const both = await Promise.all([order.stop('SIGTERM'), order.stop('again')]);
    expect(both).toEqual([[], []]);
    expect(done).toEqual(['intake ends', 'finish while draining', 'close http', 'close bus', 'close database']);
  });

  it('goes on when something fails to close, and names it', async () => {
    const { order, done } = prepared();
    await order.open(
      'database',
      () => 1,
      () => void done.push('database'),
    );
    await order.open(
      'bus',
      () => 1,
      () => Promise.reject(new Error('already gone')),
    );
    order.beforeClosing('work', () => {
      throw new Error('thrown at once');
    });
    expect(await order.stop('test')).toEqual(['work', 'bus']);
    expect(done).toEqual(['database']);
  });

  it('tells work when its time is over, and does not wait for what never ends', async () => {
    const { order, done } = prepared(10);
    order.beforeClosing('stubborn', () => new Promise<void>(() => undefined));
    order.beforeClosing('obedient', async (deadline) => {
      await new Promise((resolve) => deadline.addEventListener('abort', resolve));
      done.push('handed back');
    });
    expect(await order.stop('test')).toEqual(['stubborn']);
    expect(done).toEqual(['handed back']);
  });

  it('closes at once what comes to be opened while stopping, and opens nothing new', async () => {
    const { order, done } = prepared();
    const opened = Promise.withResolvers<string>();
    const opening = order.open(
      'late',
      () => opened.promise,
      (resource) => void done.push(`close ${resource}`),
    );
    await order.stop('test');
    opened.resolve('late one');
    await expect(opening).rejects.toThrow('stopped while late was being opened');
    expect(done).toEqual(['close late one']);
    await expect(
      order.open(
        'later',
        () => done.push('opened'),
        () => undefined,
      ),
    ).rejects.toThrow('stopping: test');
    expect(done).toEqual(['close late one']);
  });
});
