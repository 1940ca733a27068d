import {
  CACHE_CHUNK_BYTES_MAX,
  canonicalJson,
  type CacheContent,
  type CacheRequest,
  type Digest,
  type SavedCache,
} from '@delta-ci/contracts';
import { findCacheScope, type KeptCache, type RunCacheScope } from '@delta-ci/event-log';
import { StoreError, type OwnedContent } from '@delta-ci/artifact-store';
import { randomUUID } from 'node:crypto';
import type { RunnerCaller } from '../access/caller.ts';
import { envelopeFor } from '../command-ids.ts';
import { foundOr, refusedWith } from '../http/refused.ts';
import type { GatewayParts } from '../parts.ts';
import { standingLease, type OfLease } from '../runners/lease-speech.ts';

/** Questions to the store about the chunks of one cache under way at once. */
const QUESTIONS_AT_ONCE = 8;

/** What a lease may do with caches. Decided from what its run was created with, at each question: never by the runner's word. */
export interface LeaseCaches extends Omit<RunCacheScope, 'planDigest'> {
  /** Those of its job, as the plan has them. */
  readonly requests: readonly CacheRequest[];
}

/** @throws Refused when the lease does not count any more */
export async function cachesOfLease(parts: GatewayParts, params: OfLease, runner: RunnerCaller): Promise<LeaseCaches> {
  const { runId, jobKey } = await standingLease(parts, params, runner);
  const { planDigest, ...scope } = foundOr(await findCacheScope(parts.log, runId), `run ${runId}`);
  const plan = planDigest === null ? null : await parts.plans.take(planDigest);
  return { ...scope, requests: foundOr(plan?.jobs.get(jobKey), `job ${jobKey} in the plan of ${runId}`).caches };
}

/** @throws Refused for a key that the job's plan does not have: nothing else of a repository is for this job */
export function refuseOtherKeys({ requests }: LeaseCaches, key: string): void {
  if (!requests.some((request) => request.key === key))
    throw refusedWith('not_found', 'the job has no cache of this key');
}

/** The domain in which the run saves. @throws Refused `forbidden` when there is none */
export function savingDomain({ saves }: LeaseCaches): string {
  if (saves === null) throw refusedWith('forbidden', 'the jobs of this run read caches and save none');
  return saves;
}

export const chunksOf = ({ home, workspace }: CacheContent) => [...home, ...workspace];

/**
 * The chunks of one domain of one repository. What another has of the same bytes is not there: whoever refers to a chunk has brought
 * it, or somebody has who saves in the same place.
 */
export const chunksIn = ({ store }: Pick<GatewayParts, 'store'>, repository: string, domain: string): OwnedContent =>
  store.caches.of(canonicalJson([repository, domain]));

/** The first chunk that is not in the store with its size; null when all are. */
export async function missingChunk(stored: Pick<OwnedContent, 'size'>, content: CacheContent): Promise<Digest | null> {
  let missing: Digest | null = null;
  await fewAtOnce(chunksOf(content), async ({ digest, sizeBytes }) => {
    if (missing === null && (await stored.size(digest)) !== sizeBytes) missing = digest;
  });
  return missing;
}

/** What the store answers about each, in their order, asked a few at once. */
export async function fewAtOnce<T, R>(all: readonly T[], ask: (one: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  const rest = all.entries();
  const askSome = async (): Promise<void> => {
    for (const [at, one] of rest) answers[at] = await ask(one);
  };
  await Promise.all(Array.from({ length: QUESTIONS_AT_ONCE }, askSome));
  return answers;
}

/** Nobody is given a cache any more of which the store does not have what was saved. What it has instead is removed. */
export async function removeDamaged(parts: GatewayParts, cache: SavedCache, digest: Digest): Promise<void> {
  const stored = chunksIn(parts, cache.repository, cache.domain);
  try {
    // Read once more, to its end: a line that broke is no damage.
    await stored.read(digest, CACHE_CHUNK_BYTES_MAX);
    return;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === 'digest_mismatch') await stored.remove([digest]);
  }
  await removeUnusable(parts, cache, `the store no longer has ${digest}`);
}

/** Nobody is given a cache any more that is of no use. */
export async function removeUnusable(
  { commands, logger, metrics }: Pick<GatewayParts, 'commands' | 'logger' | 'metrics'>,
  cache: SavedCache,
  reason: string,
): Promise<void> {
  const removal = { because: 'damaged' as const, reason, caches: [cache] };
  const envelope = envelopeFor(`remove-caches-${randomUUID()}`, { kind: 'service', name: 'gateway' });
  const answer = await commands.send('remove-caches', removal, envelope);
  metrics.caches.add(1, { result: 'damaged' });
  const { repository, key } = cache;
  logger.warn({ event: 'cache-damaged', repository, key, reason, removed: answer.ok }, 'a cache is of no use any more');
}

export function savedCacheOf(repository: string, kept: KeptCache): SavedCache {
  const { content: _, ...saved } = kept;
  return { ...saved, repository };
}
