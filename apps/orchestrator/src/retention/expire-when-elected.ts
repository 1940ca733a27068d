import { setTimeout as pause } from 'node:timers/promises';
import { EXPIRED_AT_ONCE_MAX } from '@delta-ci/contracts';
import type { Service } from '@delta-ci/service';
import type { OrchestratorConfig } from '../config.ts';
import { standForOffice } from '../stand-for-office.ts';
import {
  expireArtifacts,
  removeExpired,
  removeUnrecorded,
  type Expiry,
  type RetentionTools,
} from './expire-artifacts.ts';

/** All of the store is listed for it. */
const CLEAR_EVERY_MS = 24 * 60 * 60_000;

/** Of several orchestrators one removes artifacts at a time. */
export async function expireWhenElected(service: Service<OrchestratorConfig>, tools: RetentionTools): Promise<void> {
  const { config, logger } = service;
  const lead = async (signal: AbortSignal): Promise<void> =>
    expireRepeatedly({
      intervalMs: config.artifactSweepIntervalMs,
      signal,
      resume: async () => removeExpired(tools),
      sweep: async () => expireArtifacts(tools),
      clear: async () => removeUnrecorded(tools, Date.now() - config.unrecordedArtifactKeptMs, signal),
      nowMs: () => performance.now(),
      onSwept: (expiry) => logger.info({ event: 'artifacts-expired', ...expiry }),
      onCleared: (objects) => logger.info({ event: 'unrecorded-artifacts-removed', objects }),
      onTrouble: (error) => logger.warn({ event: 'artifacts-not-expired', err: error }),
    });
  await standForOffice(service, 'retention', lead);
}

export interface Retention {
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  /** Ends what an earlier sweep began. */
  readonly resume: () => Promise<void>;
  readonly sweep: () => Promise<Expiry>;
  /** Removes what belongs to nothing, once a day. @returns how much it was */
  readonly clear: () => Promise<number>;
  readonly nowMs: () => number;
  readonly onSwept: (expiry: Expiry) => void;
  readonly onCleared: (objects: number) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Sweeps at once and after every interval, and without a pause while there is more. After trouble it ends what was begun first. */
export async function expireRepeatedly(retention: Retention): Promise<void> {
  const { intervalMs, signal, resume, sweep, clear, nowMs, onSwept, onCleared, onTrouble } = retention;
  let resumed = false;
  let clearedAtMs = -Infinity;
  while (!signal.aborted) {
    let more = false;
    try {
      if (!resumed) await resume();
      resumed = true;
      const expiry = await sweep();
      if (expiry.artifacts > 0) onSwept(expiry);
      more = expiry.artifacts >= EXPIRED_AT_ONCE_MAX;
      if (!more && nowMs() - clearedAtMs >= CLEAR_EVERY_MS) {
        clearedAtMs = nowMs();
        const objects = await clear();
        if (objects > 0) onCleared(objects);
      }
    } catch (error) {
      resumed = false;
      onTrouble(error);
    }
    if (!more) await pause(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}
