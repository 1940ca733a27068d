import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { createProgress } from './progress.mjs';

/** A log that keeps what is written, and a clock that advances by a second whenever it is read. */
function recorder(): { readonly stream: Writable; readonly now: () => number; readonly text: () => string } {
  let text = '';
  let clock_ms = 0;
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream, now: () => (clock_ms += 1_000), text: () => text };
}

describe('progress', () => {
  it('is one line per finished step, with how it ended and how long it took', async () => {
    const { stream, now, text } = recorder();
    const value = await createProgress({ stream, now }).step('packages', (say) => {
      say('up to date');
      return Promise.resolve(42);
    });
    expect(value).toBe(42);
    expect(text()).toBe('  packages     up to date (1.0 s)\n');
  });

  it('announces long work in a log, and says that a step failed', async () => {
    const { stream, now, text } = recorder();
    const failing = createProgress({ stream, now }).step('packages', (say) => {
      say('installing...');
      return Promise.reject(new Error('no network'));
    });
    await expect(failing).rejects.toThrow('no network');
    expect(text()).toBe('  packages     installing...\n  packages     failed (1.0 s)\n');
  });

  it('is silent when asked to be', async () => {
    const { stream, text } = recorder();
    const progress = createProgress({ stream, quiet: true });
    await progress.step('x', (say) => Promise.resolve(say('y')));
    progress.note('z');
    expect(text()).toBe('');
  });
});
