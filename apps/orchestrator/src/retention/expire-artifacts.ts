import { digestOf, type ContentStore } from '@delta-ci/artifact-store';
import {
  ARTIFACT_STREAM,
  EXPIRED_AT_ONCE_MAX,
  canonicalJson,
  type Digest,
  type DomainEventOf,
  type ExpiredArtifact,
} from '@delta-ci/contracts';
import {
  whatExpiredLast,
  whichArtifactsExpired,
  whileRemoving,
  whoKeepsDigests,
  type LogConnection,
  type Submission,
} from '@delta-ci/event-log';
import type { Ledger } from '../ledger.ts';

export interface RetentionTools {
  readonly log: LogConnection;
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly store: { readonly artifacts: Pick<ContentStore, 'remove' | 'storedBefore'> };
}

/** What one sweep did. */
export interface Expiry {
  readonly artifacts: number;
  readonly objects: number;
  readonly bytes: number;
}

/** More than a few orchestrators can have begun to remove when they ended. */
const LOOKED_BACK = 10 * EXPIRED_AT_ONCE_MAX;

/**
 * Records a number of artifacts that were kept for as long as was asked for, and then removes those of their bytes that no
 * other artifact refers to. The log is told first: whatever is missing from the store, it says why and since when. When this
 * process ends in between, `removeExpired` makes up for it.
 */
export async function expireArtifacts({ log, ledger, store }: RetentionTools): Promise<Expiry> {
  const due = await whichArtifactsExpired(log, EXPIRED_AT_ONCE_MAX);
  if (due.length === 0) return { artifacts: 0, objects: 0, bytes: 0 };
  const kept = await whoKeepsDigests(
    log,
    due.map(({ digest }) => digest),
  );
  const data = expiryOf(due, kept);
  const answer = await ledger.submit(expirySubmission(data));
  if (!answer.ok) throw new Error(`what expired was not recorded: ${answer.refusal.message}`);
  await removeUnkept(
    { log, store },
    data.objects.map(({ digest }) => digest),
  );
  const bytes = data.objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { artifacts: due.length, objects: data.objects.length, bytes };
}

/** Removes once more what expired last, as far as nobody refers to it: whoever recorded it may have ended before it was removed. */
export async function removeExpired({ log, store }: Pick<RetentionTools, 'log' | 'store'>): Promise<void> {
  await removeUnkept({ log, store }, await whatExpiredLast(log, LOOKED_BACK));
}

/**
 * What is recorded of artifacts whose time is over.
 * @param kept how many artifacts that have not expired refer to each digest, those of `due` among them
 */
export function expiryOf(
  due: readonly ExpiredArtifact[],
  kept: ReadonlyMap<Digest, number>,
): DomainEventOf<'artifact.expired'>['data'] {
  const byDigest = Map.groupBy(due, ({ digest }) => digest);
  const objects = [...byDigest]
    .filter(([digest, going]) => (kept.get(digest) ?? 0) <= going.length)
    .map(([digest, going]) => ({ digest, sizeBytes: going[0]?.sizeBytes ?? 0 }));
  return { policy: 'retention-days', artifacts: [...due], objects };
}

/** Once for the same artifacts, whoever finds them. */
export function expirySubmission(data: DomainEventOf<'artifact.expired'>['data']): Submission {
  const which = data.artifacts.map(({ runId, jobKey, attempt, name }) => [runId, jobKey, attempt, name]);
  const id = `expire-artifacts-${digestOf(canonicalJson(which)).slice('sha256:'.length)}`;
  const appends = [{ stream: ARTIFACT_STREAM, events: [{ type: 'artifact.expired' as const, data }] }];
  return {
    id,
    actor: { kind: 'timer', name: 'expire-artifacts' },
    causation: id,
    traceparent: null,
    runs: [],
    decide: () => ({ appends, answer: { ok: true, result: {} } }),
  };
}

/**
 * Removes what lies in the store since `beforeMs` and belongs to no artifact: sent by a runner that never had it recorded, or left
 * when an expired one's bytes could not be removed.
 * @returns how many objects
 */
export async function removeUnrecorded(
  { log, store }: Pick<RetentionTools, 'log' | 'store'>,
  beforeMs: number,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  for await (const digests of store.artifacts.storedBefore(beforeMs)) {
    if (signal.aborted) break;
    removed += await removeUnkept({ log, store }, digests);
  }
  return removed;
}

/** Asked again right before: an artifact with the same bytes may have been recorded since. */
async function removeUnkept(
  { log, store }: Pick<RetentionTools, 'log' | 'store'>,
  digests: readonly Digest[],
): Promise<number> {
  const named = [...new Set(digests)];
  const keptOf = async () => whoKeepsDigests(log, named);
  // Most often nothing is to be removed, and nobody has to wait for that.
  if (named.length === 0 || (await keptOf()).size === named.length) return 0;
  let removed = 0;
  await whileRemoving(log, 'artifact', async () => {
    const kept = await keptOf();
    const unkept = named.filter((digest) => !kept.has(digest));
    await store.artifacts.remove(unkept);
    removed = unkept.length;
  });
  return removed;
}
