import { STREAMS, type EventType, type RecordedEventOf } from '@delta-ci/contracts';
import type { Bus, BusLog, Delivery } from './bus.ts';
import { consume, HANDLED, type Consumption, type Verdict } from './consume.ts';
import { HEADER_TRACEPARENT } from './envelope.ts';
import { decodeEvent, eventTypeOfSubject } from './log-events.ts';
import { retryConsumer, type EventService, type RetryPolicy } from './topology.ts';

/** What a handler is told besides the message itself. */
export interface DeliveryContext {
  readonly subject: string;
  /** 1 for the first delivery. */
  readonly deliveries: number;
  readonly traceparent: string | null;
  /** Aborts when the process must hand its work back: stop, and let the message come again elsewhere. */
  readonly signal: AbortSignal;
}

/** Runs a handler inside whatever the service wants around it: a span, log fields, a metric. */
export type AroundHandler = <T>(
  what: { readonly name: string; readonly traceparent: string | null },
  run: () => Promise<T>,
) => Promise<T>;

export type EventHandler<T extends EventType> = (event: RecordedEventOf<T>, context: DeliveryContext) => Promise<void>;
export type EventHandlers = { readonly [T in EventType]?: EventHandler<T> };

export interface ConsumeHandlersOptions {
  readonly log: BusLog;
  /** Messages in hand at once, 16 unless told: handlers mostly wait for others. */
  readonly concurrency?: number;
  readonly retry?: RetryPolicy;
  readonly ackWaitMs?: number;
  readonly around?: AroundHandler;
  readonly onMissing?: () => Promise<void>;
}

export const CONCURRENCY_DEFAULT = 16;

/**
 * Follows the log for a service: each event with a handler is checked and handled once its predecessors of the same
 * stream (run) are, then acked; a failing handler gets the event again with growing pauses, at most eight times, then
 * it is parked; an event that does not fit its schema is parked at once. Events without a handler are passed over.
 */
export function consumeEvents(
  bus: Bus,
  service: EventService,
  handlers: EventHandlers,
  options: ConsumeHandlersOptions,
): Consumption {
  const handle = (delivery: Delivery, signal: AbortSignal): Promise<Verdict> =>
    handleEvent(handlers, options.around ?? runAlone, delivery, signal);
  const shared = { ...options, concurrency: options.concurrency ?? CONCURRENCY_DEFAULT, handle, keyOf: lastToken };
  const followed = consume(bus, { ...shared, stream: STREAMS.events, consumer: service });
  const sentBack = consume(bus, {
    ...shared,
    stream: STREAMS.parked,
    consumer: retryConsumer(service),
    concurrency: 1,
  });
  return {
    close: async (drainMs) => {
      await Promise.all([followed.close(drainMs), sentBack.close(drainMs)]);
    },
  };
}

async function handleEvent(
  handlers: EventHandlers,
  around: AroundHandler,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Verdict> {
  if (delivery.stream === STREAMS.events) {
    const type = eventTypeOfSubject(delivery.subject);
    if (type === null || handlers[type] === undefined) return HANDLED;
  }
  const decoded = decodeEvent(delivery);
  if (!decoded.ok) return { verdict: 'malformed', reason: decoded.reason };
  const context = contextOf(delivery, signal);
  await around({ name: decoded.value.type, traceparent: context.traceparent }, () =>
    call(handlers, decoded.value, context),
  );
  return HANDLED;
}

/** Hands an event to the handler of its type; a function of its own so that the checker sees one type on both sides. */
async function call<T extends EventType>(
  handlers: EventHandlers,
  event: RecordedEventOf<T>,
  context: DeliveryContext,
): Promise<void> {
  const handler = handlers[event.type];
  await handler?.(event, context);
}

export function contextOf(delivery: Delivery, signal: AbortSignal): DeliveryContext {
  const { subject, deliveries, headers } = delivery;
  return { subject, deliveries, signal, traceparent: headers[HEADER_TRACEPARENT] ?? null };
}

export const runAlone: AroundHandler = (_what, run) => run();

/** The id at the end of a subject: messages about the same thing keep their order. */
export const lastToken = (delivery: Delivery): string => delivery.subject.slice(delivery.subject.lastIndexOf('.') + 1);
