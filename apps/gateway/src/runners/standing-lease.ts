import { refuse, type LeaseState, type Refusal } from '@delta-ci/contracts';
import type { FoundLease } from '@delta-ci/event-log';

export type Standing = { ok: true; lease: FoundLease } | { ok: false; refusal: Refusal };

/** Why an upload under a lease in this state does not count; null when it does. */
const STALE_REASON: Readonly<Record<LeaseState, 'expired' | 'revoked' | 'superseded' | null>> = {
  granted: null,
  active: null,
  expired: 'expired',
  revoked: 'revoked',
  // It ended with a report of its own: what comes after it comes from the past.
  completed: 'superseded',
  canceled: 'superseded',
};

/** Whether uploads of this runner under this lease count. A lease of another runner is as good as none. */
export function standingOf(lease: FoundLease | null, runnerId: string): Standing {
  if (lease === null || lease.runnerId !== runnerId) return stale('unknown');
  const reason = STALE_REASON[lease.state];
  return reason === null ? { ok: true, lease } : stale(reason);
}

function stale(reason: string): Standing {
  const message = `this lease no longer counts (${reason}): stop, clean up and do not report again`;
  return { ok: false, refusal: refuse('stale_lease', message, { reason }) };
}
