import { setTimeout as pause } from 'node:timers/promises';
import { EXPIRED_AT_ONCE_MAX } from '@delta-ci/contracts';
import type { Service } from '@delta-ci/service';
import type { OrchestratorConfig } from '../config.ts';
import { standForOffice } from '../stand-for-office.ts';
import { expireArtifacts, removeExpired, type Expiry, type RetentionTools } from './expire-artifacts.ts';

/** Of several orchestrators one removes artifacts at a time. */
export async function expireWhenElected(service: Service<OrchestratorConfig>, tools: RetentionTools): Promise<void> {
  const { config, logger } = service;
  const lead = async (signal: AbortSignal): Promise<void> =>
    expireRepeatedly({
      intervalMs: config.artifactSweepIntervalMs,
      signal,
      resume: async () => removeExpired(tools),
      sweep: async () => expireArtifacts(tools),
      onSwept: (expiry) => logger.info({ event: 'artifacts-expired', ...expiry }),
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
  readonly onSwept: (expiry: Expiry) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Sweeps at once and after every interval, and without a pause while there is more. After trouble it ends what was begun first. */
export async function expireRepeatedly(retention: Retention): Promise<void> {
  const { intervalMs, signal, resume, sweep, onSwept, onTrouble } = retention;
  let resumed = false;
  while (!signal.aborted) {
    let more = false;
    try {
      if (!resumed) await resume();
      resumed = true;
      const expiry = await sweep();
      if (expiry.artifacts > 0) onSwept(expiry);
      more = expiry.artifacts >= EXPIRED_AT_ONCE_MAX;
    } catch (error) {
      resumed = false;
      onTrouble(error);
    }
    if (!more) await pause(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}
