import { digestOf } from '@delta-ci/artifact-store';
import { canonicalJson, operatorStream, refuse, type Command } from '@delta-ci/contracts';
import type { ParkedMessage } from '@delta-ci/bus';
import type { Submission } from '@delta-ci/event-log';

/** Where a parked message came from, as the log remembers it. */
export type ParkedOrigin = Pick<ParkedMessage, 'stream' | 'consumer' | 'subject' | 'reason' | 'parkedAt'>;

/**
 * Settles what becomes of a parked message, once for all who want something done with it: whoever wants the same may go
 * on with it, another wish is refused as `conflicting_repeat`. Sequences are handed out again when PARKED was lost, so
 * the time belongs to the name.
 */
export function parkedChoice(command: Command<'settle-parked'>, { parkedAt }: ParkedOrigin): Submission {
  const { id, actor, traceparent, data } = command;
  const { sequence, action } = data;
  const name = `parked-${sequence}-${parkedAt}`;
  const decide = () => ({ appends: [], answer: { ok: true as const, result: { sequence, action } } });
  return { id: name, actor, causation: id, traceparent, fingerprint: action, runs: [], decide };
}

/** What the log keeps of why a message was parked: a sentence, not a stack. */
const REASON_MAX = 500;

/**
 * Records what an operator wants done with a parked message, before it is done: what was done to the installation is in
 * the log even if whoever does it dies in between. A message that is not there any more is refused, unless this very
 * command was recorded before.
 */
export function parkedSubmission(command: Command<'settle-parked'>, origin: ParkedOrigin | null): Submission {
  const { id, actor, traceparent, data } = command;
  const { sequence, action, reason } = data;
  const envelope = { id, actor, causation: id, traceparent, fingerprint: digestOf(canonicalJson(data)), runs: [] };
  if (origin === null) {
    const refusal = refuse(
      'not_found',
      `no message is parked under ${sequence}: it was retried, dropped or never there`,
    );
    return { ...envelope, decide: () => ({ appends: [], answer: { ok: false, refusal }, remember: false }) };
  }
  const { stream, consumer, subject } = origin;
  const why = reason === '' ? '' : `; because: ${reason}`;
  const detail = `${stream} for ${consumer}, ${subject}; parked with: ${origin.reason.slice(0, REASON_MAX)}${why}`;
  const acted = { action: `parked.${action}`, subject: `parked message ${sequence}`, detail: detail.slice(0, 2_000) };
  const appends = [{ stream: operatorStream('parked'), events: [{ type: 'operator.acted' as const, data: acted }] }];
  return { ...envelope, decide: () => ({ appends, answer: { ok: true, result: { sequence, action } } }) };
}
