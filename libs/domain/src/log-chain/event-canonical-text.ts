import { canonicalJson, type DomainEvent, type Json, type RecordedEnvelope } from '@delta-ci/contracts';

/** A recorded event as it is before it is chained: neither the hash before it nor its own. */
export type UnchainedEvent = Omit<RecordedEnvelope, 'prevHash' | 'hash'> & DomainEvent;

/** `prevHash` of the first event of a log. */
export const FIRST_PREV_HASH = '0'.repeat(64);

/**
 * The text that is hashed for an event: its canonical JSON without `prevHash` and `hash`, whatever other members the
 * value has. An event's hash is the SHA-256 of the hash before it followed by the SHA-256 of this text, both in
 * hexadecimal: so a stretch of foreign events can be checked from their texts' hashes alone.
 * Hashing this text and storing it beside the event is the log's to do; anybody can do the same to verify it.
 * @throws TypeError when a value in it has no canonical form.
 */
export function eventCanonicalText(event: UnchainedEvent): string {
  const { id, position, stream, version, schemaVersion, time, actor, correlation, causation, traceparent } = event;
  const envelope = { id, position, stream, version, schemaVersion, time, actor, correlation, causation, traceparent };
  // Data of an event has passed its schema, which takes JSON alone: `unknown` inside it is JSON too.
  const data = event.data as Json;
  return canonicalJson({ ...envelope, type: event.type, data });
}
