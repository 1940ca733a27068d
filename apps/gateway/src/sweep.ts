import type { ArtifactStore } from '@delta-ci/artifact-store';
import type { Logger } from '@delta-ci/service';
import type { SigningKeys } from './id-tokens/signing-keys.ts';
import type { LogCloser } from './logs/log-closer.ts';

/** The largest upload is cut after 30 minutes: one that nobody has written to for a day has nobody left. */
const UPLOAD_ABANDONED_MS = 24 * 60 * 60_000;
/** Rarely enough to cost nothing, and several gateways doing the same do no harm. */
const SWEEP_EVERY_MS = 60 * 60_000;

export interface Sweep {
  readonly store: Pick<ArtifactStore, 'content' | 'artifacts' | 'caches' | 'logs'>;
  /** Null where no identity tokens are issued. */
  readonly keys: Pick<SigningKeys, 'removePast'> | null;
  readonly logCloser: LogCloser;
  readonly logger: Logger;
  /** How long logs are kept after their last line. */
  readonly logsKeptMs: number;
  readonly nowMs: () => number;
}

/** Removes what crashed processes left of uploads, and logs past their time; archives logs whose runner never came back. */
async function sweepStore({ store, logCloser, logger, logsKeptMs, nowMs }: Sweep): Promise<void> {
  try {
    const content = await store.content.removeAbandoned(nowMs(), UPLOAD_ABANDONED_MS);
    const artifacts = await store.artifacts.removeAbandoned(nowMs(), UPLOAD_ABANDONED_MS);
    const caches = await store.caches.removeAbandoned(nowMs(), UPLOAD_ABANDONED_MS);
    const uploads = content + artifacts + caches;
    const logs = await store.logs.removeOlderThan(nowMs(), logsKeptMs);
    const archived = await logCloser.sweep(nowMs());
    if (uploads > 0 || logs > 0 || archived > 0) logger.info({ event: 'store-swept', uploads, logs, archived });
  } catch (error) {
    logger.warn({ event: 'store-not-swept', err: error }, 'what should be removed stays until the next time');
  }
}

/** Removes the files of keys that nobody needs any more: whoever gets at them later could still sign with them. */
async function sweepKeys({ keys, logger }: Sweep): Promise<void> {
  try {
    const files = (await keys?.removePast()) ?? 0;
    if (files > 0) logger.info({ event: 'signing-keys-removed', files });
  } catch (error) {
    logger.warn({ event: 'signing-keys-not-removed', err: error }, 'keys of the past stay until the next time');
  }
}

async function sweepAll(sweep: Sweep): Promise<void> {
  await sweepKeys(sweep);
  await sweepStore(sweep);
}

/** Sweeps now and every hour. Answers how to end it, which waits for what a sweep does just now; the rest is left to the next start. */
export function keepSwept(sweep: Sweep): () => Promise<void> {
  let under = sweepAll(sweep);
  const timer = setInterval(() => {
    under = under.then(() => sweepAll(sweep));
  }, SWEEP_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await sweep.logCloser.end();
    await under;
  };
}
