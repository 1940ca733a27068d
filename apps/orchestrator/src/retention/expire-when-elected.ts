import { setTimeout as pause } from 'node:timers/promises';
import { EXPIRED_AT_ONCE_MAX, REMOVED_CACHES_AT_ONCE_MAX } from '@delta-ci/contracts';
import type { Service } from '@delta-ci/service';
import type { OrchestratorConfig } from '../config.ts';
import { standForOffice } from '../stand-for-office.ts';
import { expireArtifacts, removeExpired, removeUnrecorded, type RetentionTools } from './expire-artifacts.ts';
import { CHUNK_UNKEPT_MS, removeUnkeptChunks, retireCaches, type CacheRetentionTools } from './retire-caches.ts';

const MS_PER_HOUR = 60 * 60_000;
const MS_PER_DAY = 24 * MS_PER_HOUR;

type Orchestrator = Service<OrchestratorConfig>;
type Tools = RetentionTools & Pick<CacheRetentionTools, 'store'>;

/** Of several orchestrators one removes artifacts and caches at a time. */
export async function expireWhenElected(service: Orchestrator, tools: Tools): Promise<void> {
  await standForOffice(service, 'retention', async (signal) => {
    await Promise.all([keepArtifactsSwept(service, tools, signal), keepCachesSwept(service, tools, signal)]);
  });
}

async function keepArtifactsSwept({ config, logger }: Orchestrator, tools: Tools, signal: AbortSignal): Promise<void> {
  return expireRepeatedly({
    intervalMs: config.artifactSweepIntervalMs,
    signal,
    resume: async () => removeExpired(tools),
    sweep: async () => expireArtifacts(tools),
    countOf: ({ artifacts }) => artifacts,
    atOnceMax: EXPIRED_AT_ONCE_MAX,
    clear: async () => removeUnrecorded(tools, Date.now() - config.unrecordedArtifactKeptMs, signal),
    clearEveryMs: MS_PER_DAY,
    nowMs: () => performance.now(),
    onSwept: (expiry) => logger.info({ event: 'artifacts-expired', ...expiry }),
    onCleared: (objects) => logger.info({ event: 'unrecorded-artifacts-removed', objects }),
    onTrouble: (error) => logger.warn({ event: 'artifacts-not-expired', err: error }),
  });
}

async function keepCachesSwept({ config, logger }: Orchestrator, tools: Tools, signal: AbortSignal): Promise<void> {
  const { cachesKeptDays, cacheRepositoryBytes: repositoryBytesMax } = config;
  const bounds = { keptMs: cachesKeptDays * MS_PER_DAY, repositoryBytesMax };
  return expireRepeatedly({
    intervalMs: config.artifactSweepIntervalMs,
    signal,
    resume: () => Promise.resolve(),
    sweep: async () => retireCaches({ ...tools, bounds }),
    countOf: (caches) => caches,
    atOnceMax: REMOVED_CACHES_AT_ONCE_MAX,
    clear: async () => removeUnkeptChunks(tools, Date.now() - CHUNK_UNKEPT_MS, signal),
    clearEveryMs: MS_PER_HOUR,
    nowMs: () => performance.now(),
    onSwept: (caches) => logger.info({ event: 'caches-retired', caches }),
    onCleared: (chunks) => logger.info({ event: 'unkept-chunks-removed', chunks }),
    onTrouble: (error) => logger.warn({ event: 'caches-not-retired', err: error }),
  });
}

/** @typeParam T what one sweep says of itself */
export interface Retention<T> {
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  /** Ends what an earlier sweep began. */
  readonly resume: () => Promise<void>;
  readonly sweep: () => Promise<T>;
  /** How much one sweep found, and how much it can find at most. */
  readonly countOf: (swept: T) => number;
  readonly atOnceMax: number;
  /** Removes what belongs to nothing, for which all of the store is listed. @returns how much it was */
  readonly clear: () => Promise<number>;
  readonly clearEveryMs: number;
  readonly nowMs: () => number;
  readonly onSwept: (swept: T) => void;
  readonly onCleared: (objects: number) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Sweeps at once and after every interval, and without a pause while there is more. After trouble it ends what was begun first. */
export async function expireRepeatedly<T>(retention: Retention<T>): Promise<void> {
  const { intervalMs, signal, resume, sweep, countOf, atOnceMax, clear, clearEveryMs, nowMs } = retention;
  const { onSwept, onCleared, onTrouble } = retention;
  let resumed = false;
  let clearedAtMs = -Infinity;
  while (!signal.aborted) {
    let more = false;
    try {
      if (!resumed) await resume();
      resumed = true;
      const swept = await sweep();
      if (countOf(swept) > 0) onSwept(swept);
      more = countOf(swept) >= atOnceMax;
      if (!more && nowMs() - clearedAtMs >= clearEveryMs) {
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
