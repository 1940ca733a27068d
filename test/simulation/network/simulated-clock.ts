import type { Clock } from '@delta-ci/bus';
import type { Engine } from '../engine/engine.ts';
import type { Host } from '../engine/host.ts';

/** The bus room's clock, on simulated time. `hostOf` says whose sleep it is; null: the server's own. */
export function simulatedClock(engine: Engine, hostOf: () => Host | null): Clock {
  return {
    nowMs: () => engine.nowMs + (hostOf()?.clockOffsetMs ?? 0),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const wake = () => {
          signal?.removeEventListener('abort', wake);
          appointment.run = null;
          resolve();
        };
        const appointment = engine.after(ms, hostOf(), 'sleep', wake);
        signal?.addEventListener('abort', wake, { once: true });
      }),
  };
}
