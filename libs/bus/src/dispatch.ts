import {
  CLOUD_EVENT_TYPE_PREFIX,
  DispatchMessage,
  STREAMS,
  attemptName,
  dispatchSubject,
  type PoolName,
} from '@delta-ci/contracts';
import type { Bus, BusLog, BusMessage, Delivery, PullEnd, StoreOutcome } from './bus.ts';
import { decodeCloudEvent, encodeCloudEvent, sentence, type Decoded } from './envelope.ts';
import { park } from './parked.ts';
import { dispatchConsumer } from './topology.ts';

const DISPATCH_TYPE = `${CLOUD_EVENT_TYPE_PREFIX}dispatch`;

/** A dispatch message as it travels. */
export function encodeDispatch(dispatch: DispatchMessage): BusMessage {
  const cloudEvent = {
    id: attemptName(dispatch),
    source: '/delta-ci/orchestrator',
    type: DISPATCH_TYPE,
    subject: dispatch.runId,
    time: new Date(dispatch.queuedAtMs).toISOString(),
    data: dispatch,
  };
  return { subject: dispatchSubject(dispatch.pool), ...encodeCloudEvent(cloudEvent, dispatch.traceparent) };
}

/** Reads a dispatch message and checks envelope and data. */
export function decodeDispatch(message: Pick<BusMessage, 'headers' | 'body'>): Decoded<DispatchMessage> {
  const envelope = decodeCloudEvent(message);
  if (!envelope.ok) return envelope;
  if (envelope.value.type !== DISPATCH_TYPE) return { ok: false, reason: `the type is not ${DISPATCH_TYPE}` };
  const parsed = DispatchMessage.safeParse(envelope.value.data);
  return parsed.success
    ? { ok: true, value: parsed.data }
    : { ok: false, reason: `not a dispatch message: ${sentence(parsed.error.issues)}` };
}

/**
 * Puts one queued attempt before its pool. `redrive` is 0 the first time: driving the same attempt again with the same
 * number soon after is answered `duplicate`; with another number it is a new message. `full` means the pool is at
 * its bound: the attempt stays queued in the tables and is driven again later.
 */
export function publishDispatch(bus: Bus, dispatch: DispatchMessage, redrive: number): Promise<StoreOutcome> {
  return bus.store(encodeDispatch(dispatch), { messageId: `dispatch-${attemptName(dispatch)}-${redrive}` });
}

/** A queued attempt in hand. Ack it after the grant committed, nak it when it cannot be served now. */
export interface PulledDispatch extends Pick<Delivery, 'ack' | 'nak' | 'inProgress' | 'deliveries'> {
  readonly dispatch: DispatchMessage;
}

export interface PullDispatchOptions {
  readonly max: number;
  /** How long to wait for the first message; 0 takes only what is there now. */
  readonly expiresMs: number;
  readonly signal: AbortSignal;
  readonly log: BusLog;
}

export interface PullDispatchOutcome {
  readonly messages: readonly PulledDispatch[];
  /** `missing`: the pool has no consumer, or the store was lost: provision. `unreachable`: no server now. */
  readonly end: PullEnd;
  /** Whether the queue had no more than was asked for, at the moment when it was asked. */
  readonly wasDrained: boolean;
}

/**
 * Queued attempts of a pool: those waiting now, at most `max`; if there are none, the first to come within
 * `expiresMs`. A message that is not a valid dispatch is parked, not returned.
 */
export async function pullDispatch(
  bus: Bus,
  pool: PoolName,
  options: PullDispatchOptions,
): Promise<PullDispatchOutcome> {
  const waiting = await pullOnce(bus, pool, options, options.max, 0);
  const wasDrained = waiting.end === 'expired';
  if (waiting.messages.length > 0 || !wasDrained || options.expiresMs === 0) return { ...waiting, wasDrained };
  return { ...(await pullOnce(bus, pool, options, 1, options.expiresMs)), wasDrained };
}

async function pullOnce(
  bus: Bus,
  pool: PoolName,
  options: PullDispatchOptions,
  max: number,
  expiresMs: number,
): Promise<Omit<PullDispatchOutcome, 'wasDrained'>> {
  const deliveries: Delivery[] = [];
  const request = {
    stream: STREAMS.dispatch,
    consumer: dispatchConsumer(pool),
    max,
    expiresMs,
    signal: options.signal,
  };
  const end = await bus.pull(request, (delivery) => deliveries.push(delivery));
  const messages: PulledDispatch[] = [];
  for (const delivery of deliveries) {
    const decoded = decodeDispatch(delivery);
    if (decoded.ok) messages.push(inHand(decoded.value, delivery));
    else await park(bus, delivery, decoded.reason, options.log);
  }
  return { messages, end };
}

function inHand(dispatch: DispatchMessage, delivery: Delivery): PulledDispatch {
  return {
    dispatch,
    deliveries: delivery.deliveries,
    ack: () => delivery.ack(),
    nak: (delayMs) => delivery.nak(delayMs),
    inProgress: () => delivery.inProgress(),
  };
}
