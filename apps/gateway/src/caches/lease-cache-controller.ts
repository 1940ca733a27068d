import { digestOf, type OwnedContent } from '@delta-ci/artifact-store';
import {
  CACHES_PER_JOB_MAX,
  CACHE_CHUNKS_MAX,
  CACHE_CHUNK_BYTES_MAX,
  ENDPOINTS,
  canonicalJson,
  type CacheRecord,
  type ChunkUploadAnswer,
  type Digest,
  type FindCacheAnswer,
  type FindCacheRequest,
  type GiveUpCacheAnswer,
  type GrantChunkAnswer,
  type GrantChunkRequest,
  type OfferedChunk,
  type SaveCacheAnswer,
  type SaveCacheRequest,
} from '@delta-ci/contracts';
import { findCache, waitForRemovals } from '@delta-ci/event-log';
import { leaseHashOf } from '@delta-ci/service';
import { Body, Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { CallingRunner } from '../access/caller-parameter.ts';
import type { RunnerCaller } from '../access/caller.ts';
import type { Reply, Request } from '../http/exchange.ts';
import { streamOf } from '../http/read-bytes.ts';
import { acceptedOr, foundOr, refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import { speak, type OfLease } from '../runners/lease-speech.ts';
import { LeaseUploads } from '../runners/lease-uploads.ts';
import { RemovalWait } from '../runners/removal-wait.ts';
import {
  cachesOfLease,
  chunksIn,
  chunksOf,
  fewAtOnce,
  missingChunk,
  refuseOtherKeys,
  removeDamaged,
  removeUnusable,
  savedCacheOf,
  savingDomain,
  type LeaseCaches,
} from './lease-caches.ts';

const E = ENDPOINTS;

/** As long as a slow line needs for the chunks of a large cache. */
const GRANT_MS = 15 * 60_000;

/** All that one cache can have, each chunk asked for and sent, and as much again for what is repeated. */
const REQUESTS_OF_A_CACHE = 4 * CACHE_CHUNKS_MAX;
const boundsOf = (caches: number) => ({
  requestsMax: caches * REQUESTS_OF_A_CACHE,
  bytesMax: caches * REQUESTS_OF_A_CACHE * CACHE_CHUNK_BYTES_MAX,
});

/** Caches of the job that a runner has a lease of: found, brought, sent and recorded, a chunk at a time. */
@Controller()
export class LeaseCacheController {
  readonly #parts: GatewayParts;
  readonly #traffic = new LeaseUploads(boundsOf(CACHES_PER_JOB_MAX));
  readonly #removals: RemovalWait;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
    const wait = async () => waitForRemovals(parts.log, 'cache-chunk');
    this.#removals = new RemovalWait(wait, 'chunks that no cache refers to');
  }

  @Route('findCache')
  async find(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.findCache.params }) params: OfLease,
    @Body({ schema: E.findCache.body.content }) { key }: FindCacheRequest,
  ): Promise<FindCacheAnswer> {
    const caches = await this.#cachesOf(params, runner);
    refuseOtherKeys(caches, key);
    const found = await findCache(this.#parts.log, caches, key);
    this.#parts.metrics.caches.add(1, { result: found === null ? 'miss' : 'hit' });
    if (found === null) return { cache: null, saves: caches.saves };
    const { domain, sizeBytes, contentBytes } = found;
    const stored = chunksIn(this.#parts, caches.repository, domain);
    const home = await offered(stored, found.content.home);
    const workspace = await offered(stored, found.content.workspace);
    return { cache: { domain, sizeBytes, contentBytes, content: { home, workspace } }, saves: caches.saves };
  }

  @Route('downloadChunk')
  async download(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.downloadChunk.params }) { digest, ...params }: OfLease & { digest: Digest },
    @Query({ schema: E.downloadChunk.query }) { key }: FindCacheRequest,
    @Res() reply: Reply,
  ): Promise<void> {
    const caches = await this.#cachesOf(params, runner);
    refuseOtherKeys(caches, key);
    const cache = foundOr(await findCache(this.#parts.log, caches, key), 'cache under this key');
    if (!chunksOf(cache.content).some((chunk) => chunk.digest === digest))
      throw refusedWith('not_found', 'the cache under this key has no such chunk');
    const damaged = async () => removeDamaged(this.#parts, savedCacheOf(caches.repository, cache), digest);
    const content = await chunksIn(this.#parts, caches.repository, cache.domain).open(digest);
    if (content === null) {
      await damaged();
      throw refusedWith('not_found', 'the store no longer has this chunk: the cache is removed');
    }
    content.stream.once('error', () => {
      damaged().catch((error: unknown) => this.#parts.logger.warn({ event: 'cache-not-removed', err: error }));
    });
    reply
      .header('content-type', 'application/octet-stream')
      .header('content-length', String(content.sizeBytes))
      .send(content.stream);
  }

  @Route('grantChunk')
  async grant(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.grantChunk.params }) params: OfLease,
    @Body({ schema: E.grantChunk.body.content }) { digest, sizeBytes }: GrantChunkRequest,
  ): Promise<GrantChunkAnswer> {
    const stored = this.#savedBy(await this.#cachesOf(params, runner, sizeBytes));
    if ((await stored.size(digest)) === sizeBytes) return { stands: true, grant: null };
    if (stored.direct === null) return { stands: false, grant: null };
    const expiresAtMs = Date.now() + GRANT_MS;
    const scope = { digest, sizeBytes, sender: leaseHashOf(params.leaseId) };
    const { uploadId, requests } = await stored.direct.grantUpload(scope, GRANT_MS);
    return { stands: false, grant: { uploadId, requests: requests.map((each) => ({ ...each })), expiresAtMs } };
  }

  @Route('uploadChunk')
  async upload(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.uploadChunk.params }) params: OfLease,
    @Query({ schema: E.uploadChunk.query }) { digest }: { digest: Digest },
    @Req() { body, headers }: Request,
  ): Promise<ChunkUploadAnswer> {
    const announced = Number(headers['content-length'] ?? CACHE_CHUNK_BYTES_MAX);
    const stored = this.#savedBy(await this.#cachesOf(params, runner, announced));
    const options = { expected: digest, sizeBytesMax: CACHE_CHUNK_BYTES_MAX };
    await stored.put(streamOf(body), options);
    return {};
  }

  /** Whoever may save in a domain may end what is kept there: the next job saves it anew, or this one does. */
  @Route('giveUpCache')
  async giveUp(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.giveUpCache.params }) params: OfLease,
    @Body({ schema: E.giveUpCache.body.content }) { key, content }: SaveCacheRequest,
  ): Promise<GiveUpCacheAnswer> {
    const caches = await this.#cachesOf(params, runner);
    const domain = savingDomain(caches);
    refuseOtherKeys(caches, key);
    const kept = await findCache(this.#parts.log, { ...caches, reads: [domain] }, key);
    if (kept?.digest !== digestOf(canonicalJson(content))) return {};
    await removeUnusable(this.#parts, savedCacheOf(caches.repository, kept), 'a job could not unpack it');
    return {};
  }

  @Route('saveCache')
  async save(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.saveCache.params }) params: OfLease,
    @Body({ schema: E.saveCache.body.content }) { key, content }: SaveCacheRequest,
  ): Promise<SaveCacheAnswer> {
    const caches = await this.#cachesOf(params, runner);
    const domain = savingDomain(caches);
    refuseOtherKeys(caches, key);
    const digest = digestOf(canonicalJson(content));
    const own = { ...caches, reads: [domain] };
    // Whoever comes late is told here: the log would refuse it together with all that is written at once.
    const kept = await findCache(this.#parts.log, own, key);
    if (kept !== null && kept.digest !== digest)
      throw refusedWith('conflicting_repeat', 'a cache is kept under this key already');
    const cache = { key, digest, content, ...sizesOf(content) };
    if (kept === null) {
      const missing = await missingChunk(this.#savedBy(caches), content);
      if (missing !== null) throw refusedWith('not_found', `chunk ${missing} was not sent`);
      const { lease, envelope } = speak('record-cache', params, runner, `${key}\n${digest}`);
      acceptedOr(await this.#parts.commands.send('record-cache', { ...lease, cache }, envelope));
    }
    // Also for who was told before, or was not: the gateway that recorded it may have ended before it looked.
    await this.#lookAgain(own, cache);
    if (kept === null) this.#parts.metrics.caches.add(1, { result: 'saved' });
    return { domain };
  }

  /** What a request about so many bytes may be about. @throws Refused when the lease does not count, or asks for too much */
  async #cachesOf(params: OfLease, runner: RunnerCaller, bytes = 0): Promise<LeaseCaches> {
    const caches = await cachesOfLease(this.#parts, params, runner);
    const { length } = caches.requests;
    if (length === 0) throw refusedWith('not_found', 'the job has no caches');
    this.#traffic.count(leaseHashOf(params.leaseId), bytes, boundsOf(length));
    return caches;
  }

  /** Its chunks may have been found unneeded before it was recorded, and be gone by now. */
  async #lookAgain(caches: LeaseCaches, { key, digest, content }: CacheRecord): Promise<void> {
    await this.#removals.pass();
    const gone = await missingChunk(this.#savedBy(caches), content);
    if (gone === null) return;
    const saved = await findCache(this.#parts.log, caches, key);
    if (saved?.digest === digest) await removeDamaged(this.#parts, savedCacheOf(caches.repository, saved), gone);
    throw refusedWith('not_found', `chunk ${gone} was removed while the cache was recorded`);
  }

  /** The chunks that what the run saves may refer to. @throws Refused `forbidden` when it saves nowhere */
  #savedBy(caches: LeaseCaches): OwnedContent {
    return chunksIn(this.#parts, caches.repository, savingDomain(caches));
  }
}

async function offered(
  { direct }: Pick<OwnedContent, 'direct'>,
  chunks: readonly Omit<OfferedChunk, 'url'>[],
): Promise<OfferedChunk[]> {
  return fewAtOnce(chunks, async (chunk) => ({
    ...chunk,
    url: direct === null ? null : await direct.grantDownload(chunk.digest, 'attachment', GRANT_MS),
  }));
}

function sizesOf(content: SaveCacheRequest['content']): { sizeBytes: number; contentBytes: number } {
  const chunks = chunksOf(content);
  return {
    sizeBytes: chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    contentBytes: chunks.reduce((sum, { contentBytes }) => sum + contentBytes, 0),
  };
}
