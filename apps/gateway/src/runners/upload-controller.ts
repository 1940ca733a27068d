import { Body, Controller, Inject, Param, Query, Req } from '@nestjs/common';
import type { DirectTransfers, UploadScope } from '@delta-ci/artifact-store';
import {
  ARTIFACT_BYTES_MAX,
  ENDPOINTS,
  type ArtifactRecord,
  type ArtifactUploadAnswer,
  type GrantUploadAnswer,
  type RecordUploadRequest,
} from '@delta-ci/contracts';
import { waitForRemovals } from '@delta-ci/event-log';
import { leaseHashOf } from '@delta-ci/service';
import { CallingRunner } from '../access/caller-parameter.ts';
import type { RunnerCaller } from '../access/caller.ts';
import type { Request } from '../http/exchange.ts';
import { streamOf } from '../http/read-bytes.ts';
import { acceptedOr, refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import { speak, standingLease, type OfLease } from './lease-speech.ts';
import { LeaseUploads } from './lease-uploads.ts';
import { RemovalWait } from './removal-wait.ts';
import { storeArtifact } from './store-artifact.ts';

const E = ENDPOINTS;

/** As long as a slow link needs for the largest artifact. */
const GRANT_MS = 30 * 60_000;
/** An attempt has a thousand artifacts at most; each is asked for twice where it goes past the gateway, and may be repeated. */
const BOUNDS = { requestsMax: 4_000, bytesMax: 64 * ARTIFACT_BYTES_MAX };

interface ArtifactQuery extends Pick<ArtifactRecord, 'name' | 'type' | 'digest'> {
  readonly retention_days: number;
}

/**
 * Artifacts on their way from a runner to the store: through here, which is one request, or past here by addresses that the
 * store has signed, which spares the gateway the bytes. What is recorded stands in the store, with its digest.
 */
@Controller()
export class UploadController {
  readonly #parts: GatewayParts;
  readonly #uploads = new LeaseUploads(BOUNDS);
  readonly #removals: RemovalWait;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
    const wait = async () => waitForRemovals(parts.log, 'artifact');
    this.#removals = new RemovalWait(wait, 'artifacts whose time is over');
  }

  @Route('uploadArtifact')
  async upload(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.uploadArtifact.params }) params: OfLease,
    @Query({ schema: E.uploadArtifact.query }) query: ArtifactQuery,
    @Req() { body, headers }: Request,
  ): Promise<ArtifactUploadAnswer> {
    await standingLease(this.#parts, params, runner);
    const { name, type, digest, retention_days: retentionDays } = query;
    const lease = leaseHashOf(params.leaseId);
    const announced = headers['content-length'];
    this.#uploads.count(lease, Number(announced ?? 0));
    const { sizeBytes } = await storeArtifact(this.#parts, streamOf(body), digest);
    if (announced === undefined) this.#uploads.count(lease, sizeBytes);
    return this.#record(params, runner, { name, type, digest, sizeBytes, retentionDays });
  }

  @Route('grantUpload')
  async grant(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.grantUpload.params }) params: OfLease,
    @Body({ schema: E.grantUpload.body.content }) artifact: ArtifactRecord,
  ): Promise<GrantUploadAnswer> {
    await standingLease(this.#parts, params, runner);
    if (artifact.sizeBytes > ARTIFACT_BYTES_MAX) {
      throw refusedWith('payload_too_large', `an artifact may have ${ARTIFACT_BYTES_MAX} bytes`);
    }
    const { direct } = this.#parts.store.artifacts;
    if (direct === null) return { grant: null };
    this.#uploads.count(leaseHashOf(params.leaseId), artifact.sizeBytes);
    // Before it is signed: a grant that is told to end late is refused by the store, one told to end early is renewed.
    const expiresAtMs = Date.now() + GRANT_MS;
    const { uploadId, requests } = await direct.grantUpload(scopeOf(params, artifact), GRANT_MS);
    return { grant: { uploadId, requests: requests.map((each) => ({ ...each })), expiresAtMs } };
  }

  @Route('recordUpload')
  async recordUpload(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.recordUpload.params }) params: OfLease,
    @Body({ schema: E.recordUpload.body.content }) { uploadId, ...artifact }: RecordUploadRequest,
  ): Promise<ArtifactUploadAnswer> {
    await standingLease(this.#parts, params, runner);
    const [direct, lease] = [this.#direct(), leaseHashOf(params.leaseId)];
    this.#uploads.count(lease, artifact.sizeBytes);
    // It may have to be read back whole: that of one lease goes one after the other.
    await this.#uploads.inTurn(lease, async () => direct.finishUpload(scopeOf(params, artifact), uploadId));
    return this.#record(params, runner, artifact);
  }

  async #record(params: OfLease, runner: RunnerCaller, artifact: ArtifactRecord): Promise<ArtifactUploadAnswer> {
    const { name, digest, sizeBytes } = artifact;
    const { lease, envelope } = speak('record-artifact', params, runner, `${name}\n${digest}`);
    acceptedOr(await this.#parts.commands.send('record-artifact', { ...lease, artifact }, envelope));
    // Another artifact with the same bytes may have expired before this one was recorded, and they may be gone with it.
    await this.#removals.pass();
    if ((await this.#parts.store.artifacts.size(digest)) === null) {
      throw refusedWith('unavailable', 'the artifact was removed while it was recorded: send it again');
    }
    return { digest, sizeBytes };
  }

  #direct(): DirectTransfers {
    const { direct } = this.#parts.store.artifacts;
    if (direct === null) throw refusedWith('not_found', 'this store grants no uploads: nothing was sent under a grant');
    return direct;
  }
}

/** An upload belongs to a lease: what another lease sends of the same artifact does not meet it. */
function scopeOf({ leaseId }: OfLease, { digest, sizeBytes }: ArtifactRecord): UploadScope {
  return { digest, sizeBytes, sender: leaseHashOf(leaseId) };
}
