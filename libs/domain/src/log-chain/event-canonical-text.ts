import { canonicalJson, type DomainEvent, type Json, type RecordedEnvelope } from '@delta-ci/contracts';

/** A recorded event as it is before its own hash is known; `prevHash` is what chains it. */
export type UnhashedEvent = Omit<RecordedEnvelope, 'hash'> & DomainEvent;

/** `prevHash` of the first event of a log. */
export const FIRST_PREV_HASH = '0'.repeat(64);

/**
 * The text that is hashed for an event: its canonical JSON without `hash`, whatever other members the value has.
 * Hashing this text and storing it beside the event is the log's to do; anybody can do the same to verify it.
 * @throws TypeError when a value in it has no canonical form.
 */
export function eventCanonicalText(event: UnhashedEvent): string {
  const { id, position, stream, version, schemaVersion, time, actor, correlation, causation, traceparent } = event;
  const envelope = { id, position, stream, version, schemaVersion, time, actor, correlation, causation, traceparent };
  // Data of an event has passed its schema, which takes JSON alone: `unknown` inside it is JSON too.
  const data = event.data as Json;
  return canonicalJson({ ...envelope, prevHash: event.prevHash, type: event.type, data });
}
