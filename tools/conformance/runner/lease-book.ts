import { createHash, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  LOG_BYTES_MAX,
  type LeaseOffer,
  type RecordUploadRequest,
  type RegisterRunnerRequest,
  type UploadGrant,
} from '@delta-ci/contracts';
import type { Answer, HeardCall } from './calls.ts';

/** What a runner is offered, once its capabilities are known. */
export interface MadeLease {
  readonly offer: LeaseOffer;
  /** Grants for artifacts of at least so many bytes lead past the gateway; null: none do. */
  readonly grantsFrom: number | null;
}

export interface StoredArtifact {
  readonly name: string;
  readonly type: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

const TOKEN_MS = 3_600_000;
/** Requests that a granted upload is made of. */
const PARTS = 2;

type Said = Exclude<Answer, 'cut'>;

/** What a sound gateway knows of one runner and its lease, and how it answers. */
export class LeaseBook {
  lease: MadeLease | null;
  readonly artifacts: StoredArtifact[] = [];
  /** How long tokens hold that are handed out from now on. */
  tokenMs = TOKEN_MS;
  /** Leases are given while this is true. */
  open = true;
  offered = false;
  acknowledged = false;
  cancelRequested = false;
  /** Why the lease no longer counts; null while it does. */
  stale: 'expired' | 'revoked' | 'superseded' | null = null;
  /** The one report that was taken. */
  report: object | null = null;
  readonly #tokens = new Map<string, number>();
  readonly #parts = new Map<string, Map<number, Buffer>>();
  readonly #runnerId = `rnr_${randomBytes(16).toString('hex')}`;
  #logParts: Buffer[] = [];
  #logBytes = 0;

  constructor(lease: MadeLease | null) {
    this.lease = lease;
  }

  get canOffer(): boolean {
    return this.open && this.lease !== null && !this.offered;
  }

  /** Bytes of the log that were taken. */
  get logBytes(): number {
    return this.#logBytes;
  }

  /** The log as it was taken. */
  log(): Buffer {
    this.#logParts = [Buffer.concat(this.#logParts)];
    return this.#logParts[0] ?? Buffer.alloc(0);
  }

  /** Whether a token was handed out and still holds. */
  knows(token: string | null): boolean {
    return token !== null && (this.#tokens.get(token) ?? 0) > performance.now();
  }

  /** Whether a token was handed out, whether or not it holds. */
  handedOut(token: string | null): boolean {
    return token !== null && this.#tokens.has(token);
  }

  get tokens(): readonly string[] {
    return [...this.#tokens.keys()];
  }

  /** The answer to a call that has the documented shape and a token that holds. */
  answer(call: HeardCall, baseUrl: string): Said {
    const { name } = call;
    if (name === 'registerRunner') {
      this.#suit(call.json as RegisterRunnerRequest);
      return { status: 201, body: this.#issued() };
    }
    if (name === 'renewToken') return { status: 200, body: this.#issued() };
    if (name === 'requestLease') return this.#offer();
    if (name === 'store') return this.#takePart(call);
    if (name === 'completeAttempt' || name === 'acknowledgeCancel') return this.#end(call);
    return this.#underLease(call, baseUrl);
  }

  /** A gateway offers only what the runner said it can do. */
  #suit({ pool, capabilities: { os, isolation } }: RegisterRunnerRequest): void {
    if (this.lease === null) return;
    const { offer } = this.lease;
    const requirements = { ...offer.job.requirements, pool, os, isolation: isolation[0] ?? 'sandbox' };
    this.lease = { ...this.lease, offer: { ...offer, job: { ...offer.job, requirements } } };
  }

  #issued(): object {
    const token = `fake-runner-${randomBytes(24).toString('hex')}`;
    this.#tokens.set(token, performance.now() + this.tokenMs);
    return { runnerId: this.#runnerId, token, tokenExpiresAtMs: Date.now() + this.tokenMs };
  }

  #offer(): Said {
    if (!this.canOffer || this.lease === null) return { status: 204 };
    this.offered = true;
    return { status: 200, body: this.lease.offer };
  }

  #underLease(call: HeardCall, baseUrl: string): Said {
    const refused = this.#whyStale();
    if (refused !== null) return refused;
    if (call.name === 'acknowledgeLease') {
      this.acknowledged = true;
      return { status: 200, body: { state: 'active' } };
    }
    if (!this.acknowledged && call.name !== 'appendLog') return notYet();
    const { name, json, query, body } = call;
    if (name === 'heartbeat') return { status: 200, body: this.#beat() };
    if (name === 'appendLog') return this.#append(Number(query['offset']), body);
    if (name === 'uploadArtifact') return this.#store(call);
    // Every cache is a miss, and nothing may be saved.
    if (name === 'findCache') return { status: 200, body: { cache: null, saves: null } };
    const upload = json as RecordUploadRequest;
    return name === 'grantUpload'
      ? { status: 200, body: { grant: this.#grant(upload, baseUrl) } }
      : this.#record(upload);
  }

  #whyStale(): Said | null {
    const reason = this.report === null ? this.stale : 'superseded';
    if (reason === null) return null;
    const message = `this lease no longer counts (${reason}): stop, clean up and do not report again`;
    return { status: 409, body: { error: { code: 'stale_lease', message, details: { reason } } } };
  }

  #beat(): object {
    const { cancelRequested, lease } = this;
    const cancelDeadlineAtMs = cancelRequested ? Date.now() + 10_000 : null;
    return { extend: true, ttlMs: lease?.offer.ttlMs ?? 1, cancelRequested, cancelDeadlineAtMs };
  }

  #append(offset: number, chunk: Buffer): Said {
    if (offset > this.#logBytes) {
      const details = { nextOffset: this.#logBytes };
      return { status: 409, body: { error: { code: 'offset_mismatch', message: 'a gap in the log', details } } };
    }
    const news = chunk.subarray(this.#logBytes - offset);
    const room = Math.max(0, LOG_BYTES_MAX - this.#logBytes);
    this.#logParts.push(news.subarray(0, room));
    this.#logBytes += news.byteLength;
    return { status: 200, body: { nextOffset: this.#logBytes } };
  }

  #store({ query, body }: HeardCall): Said {
    const { name = '', type = '', digest = '' } = query;
    return this.#keep({ name, type, digest, bytes: body });
  }

  #keep(artifact: StoredArtifact): Said {
    const { digest, bytes, name } = artifact;
    if (digestOf(bytes) !== digest)
      return { status: 422, body: { error: { code: 'digest_mismatch', message: 'other content', details: {} } } };
    if (!this.artifacts.some((kept) => kept.name === name && kept.digest === digest)) this.artifacts.push(artifact);
    return { status: 200, body: { digest, sizeBytes: bytes.byteLength } };
  }

  #grant({ digest, sizeBytes }: RecordUploadRequest, baseUrl: string): UploadGrant | null {
    const from = this.lease?.grantsFrom ?? null;
    if (from === null || sizeBytes < from) return null;
    const uploadId = randomBytes(8).toString('hex');
    this.#parts.set(uploadId, new Map());
    const partBytes = Math.ceil(sizeBytes / PARTS);
    const requests = Array.from({ length: PARTS }, (_, part) => ({
      method: 'PUT' as const,
      url: `${baseUrl}/store/${uploadId}/${part}`,
      headers: { 'x-conformance-part': `${digest}-${part}` },
      fromByte: part * partBytes,
      toByte: Math.min(sizeBytes, (part + 1) * partBytes),
    }));
    return { uploadId, requests, expiresAtMs: Date.now() + TOKEN_MS };
  }

  #takePart({ url, body }: HeardCall): Said {
    const [, , uploadId = '', part = ''] = url.split('/');
    const parts = this.#parts.get(uploadId);
    if (parts === undefined) return { status: 404 };
    parts.set(Number(part), body);
    return { status: 200 };
  }

  #record({ uploadId, name, type, digest }: RecordUploadRequest): Said {
    const parts = this.#parts.get(uploadId ?? '');
    if (parts?.size !== PARTS)
      return { status: 404, body: { error: { code: 'not_found', message: 'not sent whole', details: {} } } };
    const bytes = Buffer.concat(Array.from({ length: PARTS }, (_, part) => parts.get(part) ?? Buffer.alloc(0)));
    return this.#keep({ name, type, digest, bytes });
  }

  /** A report is taken once; a repeat gets the same answer, and another one is refused. */
  #end({ name, json }: HeardCall): Said {
    const report = json as { outcome: string };
    if (this.report !== null) {
      if (isDeepStrictEqual(this.report, json)) return { status: 200, body: { outcome: report.outcome } };
      const message = 'the same id was used before with different content';
      return { status: 409, body: { error: { code: 'conflicting_repeat', message, details: {} } } };
    }
    const refused = this.#whyStale();
    if (refused !== null) return refused;
    if (!this.acknowledged) return notYet();
    if (name === 'acknowledgeCancel' && !this.cancelRequested) {
      const message = 'nobody asked to cancel this attempt';
      return { status: 409, body: { error: { code: 'cancel_not_requested', message, details: {} } } };
    }
    this.report = report;
    return { status: 200, body: { outcome: report.outcome } };
  }
}

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

function notYet(): Said {
  const message = 'a lease has no such step from granted';
  return { status: 409, body: { error: { code: 'invalid_transition', message, details: { state: 'granted' } } } };
}
