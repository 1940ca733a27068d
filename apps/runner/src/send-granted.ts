import type { GrantedRequest, UploadGrant } from '@delta-ci/contracts';
import { Refused, Unreachable } from './gateway-client.ts';

/** Requests of one upload under way at once: enough to fill a line on which one does not. */
const AT_ONCE = 3;
/** One part over a slow line. */
const REQUEST_MS = 10 * 60_000;

/** The store did not take a request, and no repetition of it will help: its time is over, or the grant is not for it. */
export class GrantOver extends Error {
  constructor(status: number) {
    super(`the artifact store takes the upload no longer (HTTP ${status})`);
    this.name = 'GrantOver';
  }
}

/**
 * Sends an artifact by the requests that were granted for it, a few at once. No token goes with them.
 * @param again repeats a request that failed for a reason that may pass
 * @throws GrantOver when another grant may help; Refused when the store does not want these bytes
 */
export async function sendGranted(
  { requests }: UploadGrant,
  bytes: Uint8Array<ArrayBuffer>,
  again: (send: () => Promise<void>) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const rest = requests.values();
  const failed = new AbortController();
  const send = async (): Promise<void> => {
    for (const request of rest) {
      failed.signal.throwIfAborted();
      await again(async () => sendOne(request, bytes, AbortSignal.any([signal, failed.signal])));
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, send));
  } catch (error) {
    failed.abort(error);
    throw error;
  }
}

async function sendOne(
  { method, url, headers, fromByte, toByte }: GrantedRequest,
  bytes: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<void> {
  const late = AbortSignal.timeout(REQUEST_MS);
  const body = bytes.subarray(fromByte, toByte);
  let response: Response;
  try {
    const ends = AbortSignal.any([signal, late]);
    response = await fetch(url, { method, headers, body, redirect: 'error', signal: ends });
    await response.body?.cancel();
  } catch (error) {
    signal.throwIfAborted();
    // The address is a key for as long as it holds: nothing of it is told.
    throw new Unreachable(`the artifact store cannot be reached: ${error instanceof Error ? error.name : 'no answer'}`);
  }
  const { status, ok } = response;
  // 412: it stands already, because an earlier try was heard or somebody else has sent the same.
  if (ok || status === 412) return;
  if (status === 403 || status === 404) throw new GrantOver(status);
  if (status >= 500 || status === 408 || status === 409 || status === 429) {
    throw new Unreachable(`the artifact store answers HTTP ${status}`);
  }
  throw new Refused('invalid_request', `the artifact store does not take it (HTTP ${status})`, { status });
}
