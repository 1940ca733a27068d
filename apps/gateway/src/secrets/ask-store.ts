import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { retryWithBackoff } from '@delta-ci/service';

/** One request to a store of secrets. */
export interface StoreRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
  /** Certificates in PEM that the store's is signed by; those of the system when left out. */
  readonly ca?: string;
}

export interface StoreAnswer {
  readonly status: number;
  /** What the answer holds, null when that is not JSON. */
  readonly body: unknown;
}

/** The store cannot be asked now. The message never repeats what it said. */
export class StoreAway extends Error {
  override readonly name = 'StoreAway';
}

/** A secret of Kubernetes has up to 1 MiB, in base64. */
const ANSWER_BYTES_MAX = 2 * 1024 * 1024;
/** One try; a store that is slower is asked again while there is time. */
const TRY_MS = 3_000;
const BACKOFF = { initialMs: 100, capMs: 1_000, attemptsMax: 5 };

/**
 * Asks, and asks again with growing pauses while the store is away, has too much to do, or fails. Follows no redirect: the
 * credential is for this address.
 * @throws StoreAway when there is no answer in the end
 */
export async function askStore(request: StoreRequest, signal: AbortSignal): Promise<StoreAnswer> {
  return retryWithBackoff({ ...BACKOFF, signal, isRetryable: (error) => error instanceof StoreAway }, async () => {
    const answer = await askOnce(request, AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)]));
    if (answer.status === 429 || answer.status >= 500) throw new StoreAway(`the store answered ${answer.status}`);
    return answer;
  });
}

async function askOnce({ method, url, headers, body, ca }: StoreRequest, signal: AbortSignal): Promise<StoreAnswer> {
  const content = body === undefined ? undefined : JSON.stringify(body);
  const kind = content === undefined ? {} : { 'content-type': 'application/json' };
  const options = {
    method,
    headers: { accept: 'application/json', ...kind, ...headers },
    signal,
    agent: false as const,
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  try {
    // What a file of the operator's holds is looked at only here: a credential that is no header, a certificate that is none.
    const sent =
      url.protocol === 'https:'
        ? requestHttps(url, { ...options, ...(ca === undefined ? {} : { ca }) }, resolve)
        : requestHttp(url, options, resolve);
    sent.on('error', reject);
    sent.end(content);
    const answer = await promise;
    return { status: answer.statusCode ?? 0, body: jsonIn(await bytesOf(answer)) };
  } catch (error) {
    throw new StoreAway(`the store cannot be asked (${codeOf(error)})`);
  }
}

async function bytesOf(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.byteLength;
    if (length > ANSWER_BYTES_MAX) throw Object.assign(new Error('too large'), { code: 'ANSWER_TOO_LARGE' });
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function jsonIn(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'name' in error && typeof error.name === 'string' ? error.name : 'unknown';
}
