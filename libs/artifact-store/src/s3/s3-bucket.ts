import { S3Client, S3ServiceException, type S3ClientConfig } from '@aws-sdk/client-s3';
import { StoreUnreachable } from '../store-error.ts';

/** Where a bucket is and how it is reached. */
export interface S3Settings {
  readonly bucket: string;
  /** What all keys begin with, such as `delta/`; may be empty. */
  readonly prefix: string;
  readonly region: string;
  /** Of a server that is not Amazon's. */
  readonly endpoint: string | null;
  /** The bucket in the path and not in the host name, as most servers that are not Amazon's want it. */
  readonly pathStyle: boolean;
  /** Null: from the usual chain (environment, profile, the machine's or the pod's role). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

/** A host that is up answers a connection at once. */
const CONNECT_MS = 5_000;
/** A request that got no answer, or a connection over which nothing came, for so long is given up and made again. */
const SILENCE_MS = 30_000;
/** With waits that double, with chance, up to twenty seconds between them. */
const TRIES = 4;

export class S3Bucket {
  readonly client: S3Client;
  readonly name: string;
  readonly #prefix: string;

  constructor({ bucket, prefix, region, endpoint, pathStyle, credentials }: S3Settings) {
    const config: S3ClientConfig = {
      region,
      forcePathStyle: pathStyle,
      maxAttempts: TRIES,
      retryMode: 'standard',
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: SILENCE_MS,
        socketTimeout: SILENCE_MS,
        throwOnRequestTimeout: true,
      },
      // Every body is sent with its SHA-256, which every server checks; trailing CRCs are more than many servers know.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint === null ? {} : { endpoint }),
      ...(credentials === null ? {} : { credentials }),
    };
    this.client = new S3Client(config);
    this.name = bucket;
    this.#prefix = prefix;
  }

  key(rest: string): string {
    return this.#prefix + rest;
  }
}

/** The status that a server answered with, or null when what failed was not an answer. */
export function statusOf(error: unknown): number | null {
  return error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? null) : null;
}

/**
 * What the server answered. Refusals with one of the statuses in `passed` are passed on for the caller to judge.
 * @throws StoreUnreachable for all others, and when there was no answer. It names what the server said; nothing of the
 * request is in it, so no credentials
 */
export async function answerTo<T>(sent: Promise<T>, passed: readonly number[] = []): Promise<T> {
  try {
    return await sent;
  } catch (error) {
    const status = statusOf(error);
    if (status !== null && passed.includes(status)) throw error;
    const name = error instanceof Error ? error.name : String(error);
    const why = status === null ? `did not answer (${name})` : `answered ${name} (${status})`;
    throw new StoreUnreachable(`the artifact store ${why}`, error);
  }
}

/** For an answer that passes 404. @throws the error when it says something else */
export function nullWhenMissing(error: unknown): null {
  if (statusOf(error) === 404) return null;
  throw error;
}
