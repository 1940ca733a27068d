import {
  AcknowledgeLeaseAnswer,
  ArtifactUploadAnswer,
  ChunkUploadAnswer,
  CompleteAnswer,
  FindCacheAnswer,
  GiveUpCacheAnswer,
  GrantChunkAnswer,
  GrantUploadAnswer,
  HeartbeatAnswer,
  LeaseOffer,
  LogAppendAnswer,
  REFUSAL_CODES,
  Refusal,
  RegisterRunnerAnswer,
  SaveCacheAnswer,
  type ArtifactRecord,
  type CacheChunk,
  type CompletionReport,
  type HeartbeatRequest,
  type RecordUploadRequest,
  type RegisterRunnerRequest,
  type SaveCacheRequest,
  type UploadGrant,
} from '@delta-ci/contracts';
import { withTraceHeaders } from '@delta-ci/service';
import { z } from 'zod';
import { readAnswer } from './read-answer.ts';

/** The gateway said no, by name. */
export class Refused extends Error {
  /** One of `REFUSAL_CODES`, or what a newer gateway calls it. */
  readonly code: string;
  readonly details: Record<string, unknown>;

  constructor(code: string, message: string, details: Record<string, unknown>) {
    super(`${code}: ${message}`);
    this.name = 'Refused';
    this.code = code;
    this.details = details;
  }

  /** The lease is not ours any more: stop, clean up, say nothing. */
  get stale(): boolean {
    return this.code === 'stale_lease';
  }
}

/** The gateway could not be reached or did not answer in its own words: try again. */
export class Unreachable extends Error {
  /** For how long it asked not to be asked again. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs = 0) {
    super(message);
    this.name = 'Unreachable';
    this.retryAfterMs = retryAfterMs;
  }
}

/** How long to wait at least before a call that failed so is repeated. */
export const leastWaitMs = (error: unknown): number => (error instanceof Unreachable ? error.retryAfterMs : 0);

/** The same under a lease that lives for so long: whoever waits for longer has no lease to say anything under. */
export const leastWaitUnder =
  (ttlMs: number) =>
  (error: unknown): number =>
    Math.min(leastWaitMs(error), ttlMs / TRIES_PER_TTL_MIN);

const TRIES_PER_TTL_MIN = 4;
/** Any answer but a lease comes at once; a gateway that is silent for so long is gone. */
const ANSWER_MS = 20_000;
/** An artifact upload may take as long as a slow link needs for a gibibyte. */
const UPLOAD_MS = 30 * 60_000;
/** Whoever asks for more than this does not know when it will be back. */
const RETRY_AFTER_MS_MAX = 300_000;
/** One chunk of a cache over a slow line. */
const CHUNK_MS = 2 * 60_000;
/** No answer of the protocol is larger: a lease offer holds one job. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

interface Call {
  method: 'GET' | 'POST' | 'PUT';
  path: string;
  token: string;
  body?: string | Uint8Array<ArrayBuffer>;
  contentType?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** Who speaks under which lease. `signal`: aborted when nothing more is to be said under it. */
export interface LeaseSpeaker {
  token: string;
  leaseId: string;
  signal: AbortSignal;
}

export interface ArtifactUpload {
  name: string;
  type: ArtifactRecord['type'];
  retentionDays: number;
  digest: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** The runner protocol as calls. Every answer is checked: the gateway is trusted, the way to it is not. */
export class GatewayClient {
  readonly #base: string;

  constructor(gatewayUrl: string) {
    this.#base = `${gatewayUrl.replace(/\/+$/, '')}/runner/v1`;
  }

  async register(registrationToken: string, request: RegisterRunnerRequest): Promise<RegisterRunnerAnswer> {
    return this.#json(RegisterRunnerAnswer, { ...post('/runners', registrationToken), ...jsonBody(request) });
  }

  async renewToken(token: string): Promise<RegisterRunnerAnswer> {
    return this.#json(RegisterRunnerAnswer, { ...post('/token', token), ...jsonBody({}) });
  }

  /** Waits up to `waitSeconds` for work; null when there was none. */
  async requestLease(token: string, waitSeconds: number, signal: AbortSignal): Promise<LeaseOffer | null> {
    const call = {
      ...post('/leases', token),
      ...jsonBody({ waitSeconds }),
      timeoutMs: waitSeconds * 1_000 + ANSWER_MS,
      signal,
    };
    const response = await this.#send(call);
    return response.status === 204 ? null : parseAnswer(LeaseOffer, response);
  }

  async acknowledge(speaker: LeaseSpeaker): Promise<AcknowledgeLeaseAnswer> {
    return this.#json(AcknowledgeLeaseAnswer, { ...about(speaker, 'ack'), ...jsonBody({}) });
  }

  /** @param timeoutMs a heartbeat has to be answered soon, or the next one is due */
  async heartbeat(speaker: LeaseSpeaker, beat: HeartbeatRequest, timeoutMs: number): Promise<HeartbeatAnswer> {
    const call = { ...about(speaker, 'heartbeat'), ...jsonBody(beat), timeoutMs: Math.min(ANSWER_MS, timeoutMs) };
    return this.#json(HeartbeatAnswer, call);
  }

  /** @param logOffset where what the shell shows begins in the log */
  async openDebug(speaker: LeaseSpeaker, logOffset: number): Promise<void> {
    await this.#send({ ...about(speaker, 'debug'), ...jsonBody({ logOffset }) });
  }

  /** The body of a stream of what is typed into the shell: server-sent events, for no longer than `timeoutMs`. */
  async followDebug(speaker: LeaseSpeaker, timeoutMs: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const call = { ...about(speaker, 'debug/input'), method: 'GET' as const, timeoutMs };
    const { body } = await this.#send({ ...call, signal: AbortSignal.any([speaker.signal, signal]) });
    if (body === null) throw new Unreachable('the stream of what is typed is empty');
    return body;
  }

  async appendLog(speaker: LeaseSpeaker, offset: number, chunk: Uint8Array<ArrayBuffer>): Promise<LogAppendAnswer> {
    const bytes = { body: chunk, contentType: 'application/octet-stream' };
    return this.#json(LogAppendAnswer, { ...about(speaker, `log?offset=${offset}`), ...bytes });
  }

  async uploadArtifact(speaker: LeaseSpeaker, artifact: ArtifactUpload): Promise<ArtifactUploadAnswer> {
    const { name, type, digest, retentionDays, bytes } = artifact;
    const query = new URLSearchParams({ name, type, digest, retention_days: String(retentionDays) });
    return this.#json(ArtifactUploadAnswer, {
      ...about(speaker, `artifacts?${query.toString()}`),
      method: 'PUT',
      body: bytes,
      contentType: 'application/octet-stream',
      timeoutMs: UPLOAD_MS,
    });
  }

  /** How an artifact is sent straight to the store; null where it goes through the gateway. */
  async grantUpload(speaker: LeaseSpeaker, artifact: ArtifactRecord): Promise<UploadGrant | null> {
    const call = { ...about(speaker, 'uploads'), ...jsonBody(artifact) };
    return (await this.#json(GrantUploadAnswer, call)).grant;
  }

  /** After a granted upload was sent: the gateway looks at it, which takes a while for a large one. */
  async recordUpload(speaker: LeaseSpeaker, upload: RecordUploadRequest): Promise<ArtifactUploadAnswer> {
    const call = { ...about(speaker, 'artifacts'), ...jsonBody(upload), timeoutMs: UPLOAD_MS };
    return this.#json(ArtifactUploadAnswer, call);
  }

  async findCache(speaker: LeaseSpeaker, key: string): Promise<FindCacheAnswer> {
    return this.#json(FindCacheAnswer, { ...about(speaker, 'caches/find'), ...jsonBody({ key }) });
  }

  /** The bytes of a chunk, no more of them than it has. */
  async downloadChunk(speaker: LeaseSpeaker, key: string, chunk: CacheChunk): Promise<Uint8Array<ArrayBuffer>> {
    const query = new URLSearchParams({ key });
    const call: Call = { ...about(speaker, `caches/chunks/${chunk.digest}?${query.toString()}`), method: 'GET' };
    return bytesOf(await this.#send({ ...call, timeoutMs: CHUNK_MS }), chunk.sizeBytes);
  }

  async grantChunk(speaker: LeaseSpeaker, { digest, sizeBytes }: CacheChunk): Promise<GrantChunkAnswer> {
    return this.#json(GrantChunkAnswer, { ...about(speaker, 'caches/chunks'), ...jsonBody({ digest, sizeBytes }) });
  }

  async uploadChunk(speaker: LeaseSpeaker, digest: string, bytes: Uint8Array<ArrayBuffer>): Promise<ChunkUploadAnswer> {
    return this.#json(ChunkUploadAnswer, {
      ...about(speaker, `caches/chunks?${new URLSearchParams({ digest }).toString()}`),
      method: 'PUT',
      body: bytes,
      contentType: 'application/octet-stream',
      timeoutMs: CHUNK_MS,
    });
  }

  async giveUpCache(speaker: LeaseSpeaker, cache: SaveCacheRequest): Promise<void> {
    const call = { ...about(speaker, 'caches/give-up'), ...jsonBody(cache), timeoutMs: CHUNK_MS };
    await this.#json(GiveUpCacheAnswer, call);
  }

  /** After all chunks were sent: the gateway looks at each of them. */
  async saveCache(speaker: LeaseSpeaker, cache: SaveCacheRequest): Promise<SaveCacheAnswer> {
    return this.#json(SaveCacheAnswer, { ...about(speaker, 'caches'), ...jsonBody(cache), timeoutMs: CHUNK_MS });
  }

  async complete(speaker: LeaseSpeaker, report: CompletionReport): Promise<CompleteAnswer> {
    return this.#json(CompleteAnswer, { ...about(speaker, 'complete'), ...jsonBody(report) });
  }

  async acknowledgeCancel(speaker: LeaseSpeaker, report: CompletionReport): Promise<CompleteAnswer> {
    return this.#json(CompleteAnswer, { ...about(speaker, 'cancel-ack'), ...jsonBody(report) });
  }

  async #json<T>(schema: z.ZodType<T>, call: Call): Promise<T> {
    return parseAnswer(schema, await this.#send(call));
  }

  async #send({ method, path, token, body, contentType, timeoutMs = ANSWER_MS, signal }: Call): Promise<Response> {
    const late = AbortSignal.timeout(timeoutMs);
    const headers = withTraceHeaders({
      authorization: `Bearer ${token}`,
      'content-type': contentType ?? 'application/json',
    });
    let response: Response;
    try {
      response = await fetch(this.#base + path, {
        method,
        headers,
        redirect: 'error',
        signal: signal === undefined ? late : AbortSignal.any([late, signal]),
        ...(body === undefined ? {} : { body }),
      });
    } catch (error) {
      throw new Unreachable(`${method} ${withoutLease(path)}: ${reasonOf(error)}`);
    }
    if (!response.ok) throw await refusalIn(response, `${method} ${withoutLease(path)}`);
    return response;
  }
}

const post = (path: string, token: string): Pick<Call, 'method' | 'path' | 'token'> => ({
  method: 'POST',
  path,
  token,
});
const about = ({ token, leaseId, signal }: LeaseSpeaker, what: string): Call => ({
  ...post(`/leases/${leaseId}/${what}`, token),
  signal,
});
const jsonBody = (value: unknown): Pick<Call, 'body'> => ({ body: JSON.stringify(value) });

/** A lease id is a secret: it does not belong into messages. */
const withoutLease = (path: string): string => path.replace(/\/leases\/[0-9a-f]+/, '/leases/…').replace(/\?.*/, '');

async function parseAnswer<T>(schema: z.ZodType<T>, response: Response): Promise<T> {
  const answer = await readJson(response);
  try {
    return readAnswer(schema, answer);
  } catch (error) {
    throw new Unreachable(`the answer does not have the documented shape: ${reasonOf(error).slice(0, 500)}`);
  }
}

/** A body of exactly so many bytes. @throws Unreachable when there are fewer, or it breaks off; and as soon as there are more */
export async function bytesOf(response: Response, sizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  try {
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      if (at + part.byteLength > sizeBytes) throw new Error(`it has more than ${sizeBytes} bytes`);
      whole.set(part, at);
      at += part.byteLength;
    }
  } catch (error) {
    throw new Unreachable(`the answer cannot be read: ${reasonOf(error)}`);
  }
  if (at !== sizeBytes) throw new Unreachable(`the answer has ${at} of ${sizeBytes} bytes`);
  return whole;
}

/** A refusal as it is read: the list of codes may be longer in a newer gateway. */
const ReadRefusal = z.strictObject({ error: Refusal.extend({ code: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/) }) });
const KNOWN_CODES: ReadonlySet<string> = new Set(REFUSAL_CODES);
/** What may pass by itself is no refusal to a runner: it tries again. */
const PASSING_CODES: ReadonlySet<string> = new Set(['unavailable', 'timed_out', 'internal', 'rate_limited']);
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 429]);

/** What an answer that is no yes means: `Refused`, or `Unreachable` when the call may be repeated. */
export async function refusalIn(response: Response, what: string): Promise<Refused | Unreachable> {
  const { status } = response;
  const retryAfterMs = retryAfterIn(response);
  let refusal: z.infer<typeof ReadRefusal>['error'];
  try {
    refusal = readAnswer(ReadRefusal, await readJson(response)).error;
  } catch {
    return new Unreachable(`${what}: HTTP ${status}`, retryAfterMs);
  }
  const { code, message, details } = refusal;
  const isPassing = KNOWN_CODES.has(code) ? PASSING_CODES.has(code) : status >= 500 || PASSING_STATUSES.has(status);
  return isPassing
    ? new Unreachable(`${what}: ${code}: ${message}`, retryAfterMs)
    : new Refused(code, message, details);
}

/** In seconds, as our gateway says it; a date, as what stands before it may, is not read: the usual pause has to do. */
function retryAfterIn({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after') ?? '0');
  return seconds > 0 ? Math.min(seconds * 1_000, RETRY_AFTER_MS_MAX) : 0;
}

async function readJson(response: Response): Promise<unknown> {
  const length = Number(response.headers.get('content-length') ?? '0');
  if (length > ANSWER_BYTES_MAX) throw new Unreachable(`the answer has ${length} bytes`);
  try {
    return JSON.parse(await response.text());
  } catch (error) {
    throw new Unreachable(`the answer cannot be read: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
