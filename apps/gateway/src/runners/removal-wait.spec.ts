import { describe, expect, it } from '@jest/globals';
import { RemovalWait } from './removal-wait.ts';

/** Waits that end when the test says so. */
class Waits {
  readonly begun: PromiseWithResolvers<void>[] = [];
  readonly removals = new RemovalWait(async () => {
    const one = Promise.withResolvers<void>();
    this.begun.push(one);
    return one.promise;
  }, 'old things');

  /** Lets everything happen that does not wait for the test. */
  async settle(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

const patient = (): AbortSignal => new AbortController().signal;
const REFUSED = {
  refusal: {
    code: 'unavailable',
    message: 'old things are being removed: ask again in a moment',
    details: { retryAfterMs: 5_000 },
  },
};

describe('waiting for removals', () => {
  it('given many who wait at once, then one wait is under way, and those who came meanwhile share the one after it', async () => {
    const waits = new Waits();
    const passed: string[] = [];
    const pass = (name: string) => waits.removals.pass(patient()).then(() => void passed.push(name));
    const first = pass('first');
    await waits.settle();
    const late = [pass('second'), pass('third')];
    await waits.settle();
    expect(waits.begun).toHaveLength(1);
    waits.begun[0]?.resolve();
    await first;
    await waits.settle();
    // What was under way when they came may not have been when the first wait began.
    expect([waits.begun.length, passed]).toEqual([2, ['first']]);
    waits.begun[1]?.resolve();
    await Promise.all(late);
    expect([waits.begun.length, passed.toSorted()]).toEqual([2, ['first', 'second', 'third']]);
  });

  it('given one whose patience ends, then it is told when to ask again, and the others go on waiting', async () => {
    const waits = new Waits();
    const patience = new AbortController();
    const impatient = waits.removals.pass(patience.signal);
    const other = waits.removals.pass(patient());
    await waits.settle();
    patience.abort();
    await expect(impatient).rejects.toMatchObject(REFUSED);
    await expect(waits.removals.pass(AbortSignal.abort())).rejects.toMatchObject(REFUSED);
    waits.begun[0]?.resolve();
    await other;
    expect(waits.begun).toHaveLength(1);
  });

  it('given a wait that fails, then those who share it are told, and whoever comes next begins another', async () => {
    const waits = new Waits();
    const failing = waits.removals.pass(patient());
    await waits.settle();
    const next = waits.removals.pass(patient());
    waits.begun[0]?.reject(new Error('the database is gone'));
    await expect(failing).rejects.toThrow('the database is gone');
    await waits.settle();
    waits.begun[1]?.resolve();
    await next;
  });
});
