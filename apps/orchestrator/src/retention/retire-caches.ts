import { digestOf, type ContentStore } from '@delta-ci/artifact-store';
import {
  CACHE_STREAM,
  REMOVED_CACHES_AT_ONCE_MAX,
  canonicalJson,
  type CacheRemoval,
  type Digest,
} from '@delta-ci/contracts';
import {
  whichCachesAreOld,
  whichCachesHaveNoRoom,
  whichChunksAreKept,
  whileRemoving,
  type CacheBounds,
  type LogConnection,
  type Submission,
} from '@delta-ci/event-log';
import type { Ledger } from '../ledger.ts';

export interface CacheRetentionTools {
  readonly log: LogConnection;
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly store: { readonly caches: Pick<ContentStore, 'storedBefore' | 'remove'> };
  readonly bounds: CacheBounds;
}

/**
 * Records a number of caches that are too old, or too many for their repository: nobody is given them from then on, and what
 * only they had belongs to nothing. Answers how many there were.
 */
export async function retireCaches({ log, ledger, bounds }: Omit<CacheRetentionTools, 'store'>): Promise<number> {
  const old = await whichCachesAreOld(log, bounds, REMOVED_CACHES_AT_ONCE_MAX);
  await record(ledger, { because: 'age', reason: '', caches: old });
  const many = await whichCachesHaveNoRoom(log, bounds, REMOVED_CACHES_AT_ONCE_MAX);
  await record(ledger, { because: 'size', reason: '', caches: many });
  return old.length + many.length;
}

async function record(ledger: Pick<Ledger, 'submit'>, removal: CacheRemoval): Promise<void> {
  if (removal.caches.length === 0) return;
  const answer = await ledger.submit(removalSubmission(removal));
  if (!answer.ok) throw new Error(`caches to be removed were not recorded: ${answer.refusal.message}`);
}

/** Once for the same caches, whoever finds them. */
export function removalSubmission(data: CacheRemoval): Submission {
  const which = data.caches.map(({ runId, jobKey, attempt, key }) => [runId, jobKey, attempt, key]);
  const id = `retire-caches-${digestOf(canonicalJson(which)).slice('sha256:'.length)}`;
  const appends = [{ stream: CACHE_STREAM, events: [{ type: 'cache.removed' as const, data }] }];
  return {
    id,
    actor: { kind: 'timer', name: 'retire-caches' },
    causation: id,
    traceparent: null,
    runs: [],
    decide: () => ({ appends, answer: { ok: true, result: {} } }),
  };
}

/** A job that sends chunks has them recorded within a quarter of an hour, or never. */
export const CHUNK_UNKEPT_MS = 60 * 60_000;

/** Whoever has to stop does so after so many, and whoever records a cache meanwhile waits for no more. */
const CHUNKS_AT_ONCE = 100;

/**
 * Removes the chunks that are in the store since `beforeMs` and that no cache refers to: of caches that were removed, and such as
 * never made one. Asked again right before, in turn with other sweeps: what was recorded since keeps its chunks, and whoever records
 * it afterwards waits for the removal, and looks whether they stand. Answers how many.
 */
export async function removeUnkeptChunks(
  { log, store }: Pick<CacheRetentionTools, 'log' | 'store'>,
  beforeMs: number,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  for await (const digests of store.caches.storedBefore(beforeMs)) {
    if (signal.aborted) break;
    const unkept = await unkeptOf(log, digests);
    for (let at = 0; at < unkept.length && !signal.aborted; at += CHUNKS_AT_ONCE) {
      await whileRemoving(log, 'cache-chunk', async () => {
        const some = await unkeptOf(log, unkept.slice(at, at + CHUNKS_AT_ONCE));
        await store.caches.remove(some);
        removed += some.length;
      });
    }
  }
  return removed;
}

async function unkeptOf(log: LogConnection, digests: readonly Digest[]): Promise<Digest[]> {
  const kept = await whichChunksAreKept(log, digests);
  return digests.filter((digest) => !kept.has(digest));
}
