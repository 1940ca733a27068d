import { STREAMS, parkedSubject, retrySubject, type StreamName } from '@delta-ci/contracts';
import type { Bus, BusHeaders, BusLog, Delivery, StoredMessage } from './bus.ts';
import { EVENT_SERVICES, retryConsumer } from './topology.ts';

/**
 * Parking: a message that cannot be handled leaves the way of the others and waits in PARKED for a person, with the
 * reason, where it came from, and its own headers and body.
 */

const REASON = 'Delta-Parked-Reason';
const STREAM = 'Delta-Parked-Stream';
const CONSUMER = 'Delta-Parked-Consumer';
const SUBJECT = 'Delta-Parked-Subject';
const SEQUENCE = 'Delta-Parked-Sequence';
const DELIVERIES = 'Delta-Parked-Deliveries';
const PARKED_HEADERS = [REASON, STREAM, CONSUMER, SUBJECT, SEQUENCE, DELIVERIES];

/** `Nats-*` headers are orders to the server: kept under this prefix, so that they are not obeyed a second time. */
const ORIGINAL = 'Delta-Original-';

/** How long a message that could not be parked (PARKED full or away) waits before it is tried again. */
const PARK_AGAIN_MS = 30_000;

/** Moves a delivery to PARKED. When that is not possible now the message stays where it was and comes again. */
export async function park(bus: Bus, delivery: Delivery, reason: string, log: BusLog): Promise<void> {
  const { stream, consumer, subject, sequence, deliveries } = delivery;
  const stored = await bus.store({
    subject: parkedSubject(stream, consumer),
    headers: {
      ...keepOriginal(delivery.headers),
      [REASON]: oneLine(reason),
      [STREAM]: stream,
      [CONSUMER]: consumer,
      [SUBJECT]: subject,
      [SEQUENCE]: String(sequence),
      [DELIVERIES]: String(deliveries),
    },
    body: delivery.body,
  });
  const fields = { stream, consumer, subject, sequence, deliveries, reason };
  if (stored.outcome === 'stored' || stored.outcome === 'duplicate') {
    delivery.term();
    log.error(fields, 'message parked: it waits for a person');
    return;
  }
  delivery.nak(PARK_AGAIN_MS);
  log.error({ ...fields, outcome: stored.outcome }, 'message could not be parked, it will be delivered again');
}

/** A parked message, as an operator sees it. */
export interface ParkedMessage {
  /** Names it to `retryParked` and `dropParked`. */
  readonly sequence: number;
  readonly parkedAt: string;
  readonly reason: string;
  readonly stream: string;
  readonly consumer: string;
  readonly subject: string;
  readonly deliveries: number;
  readonly headers: BusHeaders;
  readonly body: Uint8Array;
}

export type ParkedPage =
  | {
      readonly ok: true;
      readonly messages: readonly ParkedMessage[];
      /** Ask from here for more; null at the end. */
      readonly nextSequence: number | null;
    }
  | { readonly ok: false; readonly reason: 'missing' | 'unreachable' };

/** Parked messages in the order they were parked, from a sequence (1 for all), at most `limit`. */
export async function listParked(bus: Bus, fromSequence: number, limit: number): Promise<ParkedPage> {
  const messages: ParkedMessage[] = [];
  let sequence = fromSequence;
  while (messages.length < limit) {
    const read = await bus.readStored(STREAMS.parked, sequence);
    if (read.outcome === 'none') return { ok: true, messages, nextSequence: null };
    if (read.outcome !== 'found') return { ok: false, reason: read.outcome };
    const parked = asParked(read.message);
    if (parked !== null) messages.push(parked);
    sequence = read.message.sequence + 1;
  }
  return { ok: true, messages, nextSequence: sequence };
}

export type ParkedOutcome = 'done' | 'unknown' | 'unavailable';

/**
 * Sends a parked message back: an event to the one service that could not handle it, a report or dispatch to its own
 * subject. It starts with all its deliveries again. `unknown`: there is no such parked message.
 */
export async function retryParked(bus: Bus, sequence: number): Promise<ParkedOutcome> {
  const parked = await findParked(bus, sequence);
  if (typeof parked === 'string') return parked;
  const stored = await bus.store(
    { subject: subjectOfRetry(parked), headers: parked.headers, body: parked.body },
    { messageId: `retry-${sequence}-${parked.parkedAt}` },
  );
  if (stored.outcome !== 'stored' && stored.outcome !== 'duplicate') return 'unavailable';
  await bus.removeStored(STREAMS.parked, sequence);
  return 'done';
}

/** Forgets a parked message. */
export async function dropParked(bus: Bus, sequence: number): Promise<ParkedOutcome> {
  const parked = await findParked(bus, sequence);
  if (typeof parked === 'string') return parked;
  return (await bus.removeStored(STREAMS.parked, sequence)) ? 'done' : 'unknown';
}

/** The parked message of a sequence. */
export async function findParked(bus: Bus, sequence: number): Promise<ParkedMessage | 'unknown' | 'unavailable'> {
  const read = await bus.readStored(STREAMS.parked, sequence);
  if (read.outcome === 'unreachable' || read.outcome === 'missing') return 'unavailable';
  if (read.outcome === 'none' || read.message.sequence !== sequence) return 'unknown';
  return asParked(read.message) ?? 'unknown';
}

function asParked(message: StoredMessage): ParkedMessage | null {
  const { headers, body, sequence, storedAt } = message;
  const stream = headers[STREAM];
  const consumer = headers[CONSUMER];
  const subject = headers[SUBJECT];
  // Messages on their way back to a service live in the same stream and carry none of these.
  if (stream === undefined || consumer === undefined || subject === undefined) return null;
  return {
    sequence,
    parkedAt: storedAt,
    reason: headers[REASON] ?? '',
    stream,
    consumer,
    subject,
    deliveries: Number(headers[DELIVERIES] ?? 0),
    headers: restoreOriginal(headers),
    body,
  };
}

function subjectOfRetry(parked: ParkedMessage): string {
  const service = EVENT_SERVICES.find((name) => name === parked.consumer || retryConsumer(name) === parked.consumer);
  const isEvent = parked.stream === (STREAMS.events satisfies StreamName) || parked.stream === STREAMS.parked;
  return isEvent && service !== undefined ? retrySubject(service) : parked.subject;
}

function keepOriginal(headers: BusHeaders): BusHeaders {
  const entries = Object.entries(headers);
  return Object.fromEntries(entries.map(([name, value]) => [name.startsWith('Nats-') ? ORIGINAL + name : name, value]));
}

/** Headers as they were, without the server's own: those belong to the first publication. */
function restoreOriginal(headers: BusHeaders): BusHeaders {
  const entries = Object.entries(headers);
  return Object.fromEntries(
    entries.filter(
      ([name]) => !PARKED_HEADERS.includes(name) && !name.startsWith(ORIGINAL) && !name.startsWith('Nats-'),
    ),
  );
}

const oneLine = (text: string): string => text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 1_000);
