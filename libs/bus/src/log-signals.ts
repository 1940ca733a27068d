import { logGrewSubject, type JobKey, type RunId } from '@delta-ci/contracts';
import type { Bus, BusMessage, Listener } from './bus.ts';

/** Signals that an attempt's log grew: a hint for followers, not stored; who misses one reads at the next. */

const NOTHING: Pick<BusMessage, 'headers' | 'body'> = { headers: {}, body: new Uint8Array() };

export function announceLogGrew(bus: Bus, runId: RunId, jobKey: JobKey): void {
  bus.announce({ subject: logGrewSubject(runId, jobKey), ...NOTHING });
}

export function onLogGrew(bus: Bus, runId: RunId, jobKey: JobKey, onGrew: () => void): Listener {
  return bus.listen(logGrewSubject(runId, jobKey), () => onGrew());
}
