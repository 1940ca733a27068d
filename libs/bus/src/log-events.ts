import {
  CLOUD_EVENT_TYPE_PREFIX,
  EVENT_TYPES,
  eventMessageId,
  eventSubject,
  parseRecordedEvent,
  type EventType,
  type RecordedEvent,
} from '@delta-ci/contracts';
import type { Bus, BusMessage, StoreOutcome } from './bus.ts';
import { decodeCloudEvent, encodeCloudEvent, sentence, type Decoded } from './envelope.ts';

/** The position of the event in the log, readable without opening the body. */
export const HEADER_POSITION = 'Delta-Position';
/** The event's hash in the log's chain: what tells a copy from a fork. */
export const HEADER_HASH = 'Delta-Hash';

/** Size of an event that is too large for the bus, on the message that stands in its place. */
export const HEADER_OMITTED_BYTES = 'Delta-Omitted-Bytes';

const SOURCE = '/delta-ci/log';

/** A recorded event as it travels. */
export function encodeEvent(event: RecordedEvent): BusMessage {
  const cloudEvent = {
    id: event.id,
    source: SOURCE,
    type: CLOUD_EVENT_TYPE_PREFIX + event.type,
    subject: event.stream,
    time: event.time,
    data: event,
  };
  return {
    subject: eventSubject(event.type, event.stream),
    ...encodeCloudEvent(cloudEvent, event.traceparent, {
      [HEADER_POSITION]: String(event.position),
      [HEADER_HASH]: event.hash,
    }),
  };
}

/** Reads an event and checks envelope, data and that both say the same. */
export function decodeEvent(message: Pick<BusMessage, 'headers' | 'body'>): Decoded<RecordedEvent> {
  const omitted = message.headers[HEADER_OMITTED_BYTES];
  if (omitted !== undefined) {
    const position = message.headers[HEADER_POSITION] ?? '';
    return { ok: false, reason: `too large for the bus (${omitted} bytes): read position ${position} from the log` };
  }
  const envelope = decodeCloudEvent(message);
  if (!envelope.ok) return envelope;
  const parsed = parseRecordedEvent(envelope.value.data);
  if (!parsed.success) return { ok: false, reason: `not a recorded event: ${sentence(parsed.error.issues)}` };
  const event = parsed.data;
  const { id, type, subject, traceparent } = envelope.value;
  const agrees =
    id === event.id &&
    type === CLOUD_EVENT_TYPE_PREFIX + event.type &&
    subject === event.stream &&
    (traceparent ?? null) === event.traceparent;
  return agrees ? { ok: true, value: event } : { ok: false, reason: 'the envelope and the event it carries differ' };
}

/**
 * The type of an event as its subject says it, null when we know no such type: a newer release may publish types
 * this one has no schema for, and a service skips what it does not follow without opening it.
 */
export function eventTypeOfSubject(subject: string): EventType | null {
  const [, , aggregate, verb] = subject.split('.');
  const type = `${aggregate}.${verb}`;
  return EVENT_TYPES.find((known) => known === type) ?? null;
}

/**
 * Publishes one event of the log. The stream's sequence is the position, so the expected last sequence is the
 * position before: a publisher that is behind, ahead or in another history is answered `out-of-order`.
 */
export function publishEvent(bus: Bus, event: RecordedEvent): Promise<StoreOutcome> {
  return bus.store(fitting(encodeEvent(event), bus.bodyBytesMax), {
    messageId: eventMessageId(event.position),
    expectedLastSequence: event.position - 1,
  });
}

/**
 * The message itself, or one without a body when it is larger than the server takes: the stream must have something
 * at every position, or nothing after it could follow. Who follows the event's type finds it parked.
 */
function fitting(message: BusMessage, bytesMax: number): BusMessage {
  const bytes = message.body.byteLength;
  if (bytes <= bytesMax) return message;
  const headers = { ...message.headers, [HEADER_OMITTED_BYTES]: String(bytes) };
  return { subject: message.subject, headers, body: new Uint8Array() };
}
