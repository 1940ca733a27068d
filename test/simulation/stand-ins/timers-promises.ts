import { actingHost } from '../engine/engine.ts';
import { engine } from '../engine/present.ts';
import { ABORTED } from '../engine/simulated-globals.ts';

/** Stands in for `node:timers/promises` where production code imports it. */

interface Waiting {
  readonly signal?: AbortSignal;
  readonly ref?: boolean;
}

export function setTimeout<T = void>(ms = 0, value?: T, { signal }: Waiting = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      appointment.run = null;
      reject(ABORTED);
    };
    const appointment = engine().after(ms, actingHost(), 'sleep', () => {
      signal?.removeEventListener('abort', abort);
      resolve(value as T);
    });
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

export const setImmediate = <T = void>(value?: T): Promise<T> => setTimeout(0, value);
