import type { RecordedEvent } from '@delta-ci/contracts';
import type { FoundLease, LogReader } from '@delta-ci/event-log';
import { pause } from '../http/wait-for-any.ts';
import type { GatewayParts } from '../parts.ts';

/** Events of one run that are looked through at once. */
const EVENTS = 200;
/** Between two looks at what happens to the lease. */
const REST_MS = 100;

/**
 * Position at which the log says that a shell stands under a lease; null when it says no such thing. A run for debugging has one
 * job, tried once: what it comes to before is within one read. Of any other run no more is read.
 */
export async function openedAt(reader: LogReader, lease: FoundLease): Promise<number | null> {
  const events = await reader.read({ afterPosition: 0, limit: EVENTS, run: lease.runId });
  const opened = events.find((event) => event.type === 'debug.opened' && isOf(lease, event.data));
  return opened?.position ?? null;
}

/** Settles when the lease has ended, by what the log says after `position`, or when `over` aborts. */
export async function untilLeaseEnds(
  { reader, bell }: Pick<GatewayParts, 'reader' | 'bell'>,
  lease: FoundLease & { readonly position: number },
  over: AbortSignal,
): Promise<void> {
  let { position } = lease;
  while (!over.aborted) {
    const heard = bell.position;
    const events = await reader.read({ afterPosition: position, limit: EVENTS, run: lease.runId });
    if (events.some((event) => endsLease(event, lease))) return;
    position = events.at(-1)?.position ?? position;
    if (events.length === EVENTS) continue;
    await bell.waitPast(Math.max(position, heard), over);
    await pause(REST_MS, over);
  }
}

function endsLease(event: RecordedEvent, lease: FoundLease): boolean {
  if (event.type === 'lease.expired' || event.type === 'lease.revoked' || event.type === 'attempt.finished') {
    return isOf(lease, event.data);
  }
  return false;
}

function isOf({ jobKey, attempt }: FoundLease, data: { readonly jobKey: string; readonly attempt: number }): boolean {
  return data.jobKey === jobKey && data.attempt === attempt;
}
