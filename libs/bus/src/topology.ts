import { STREAMS, SUBJECT_FILTERS, dispatchSubject, retrySubject, type StreamName } from '@delta-ci/contracts';

/** Streams and durable consumers as data: the one table that the provisioner, the specs and the permissions read. */

export interface StreamSpec {
  readonly name: StreamName;
  readonly description: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits' | 'work-queue';
  /** At the bound: drop the oldest, or refuse the newest. */
  readonly discard: 'old' | 'new';
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  /** Bound per subject; null for none. Refuses new ones when `discard` is `new`. */
  readonly maxMessagesPerSubject: number | null;
  readonly denyDelete: boolean;
  readonly denyPurge: boolean;
  readonly duplicateWindowMs: number;
  /** Number of the first message of a stream made anew. Servers before 2.10 start at 1 whatever this says. */
  readonly firstSequence: number;
}

export interface ConsumerSpec {
  readonly name: string;
  readonly stream: StreamName;
  readonly description: string;
  /** One filter: servers before 2.10 ignore a list of them. */
  readonly filter: string;
  readonly ackWaitMs: number;
  /** Deliveries out at once, over all members of the service. */
  readonly maxAckPending: number;
}

export interface Topology {
  readonly streams: readonly StreamSpec[];
  readonly consumers: readonly ConsumerSpec[];
  readonly replicas: number;
}

export interface TopologySettings {
  /** Each pool has its own dispatch consumer. */
  readonly pools: readonly string[];
  /** 1 for one server, 3 in production. */
  readonly replicas?: 1 | 3 | 5;
  /** How long a dispatch message stays with whoever took it; at least lease TTL + heartbeat jitter. */
  readonly dispatchAckWaitMs?: number;
  /** Per stream, in bytes, when the defaults do not fit the disk. */
  readonly maxBytes?: Partial<Record<StreamName, number>>;
  /** When EVENTS has to be made anew: the first position worth publishing, e.g. that of the oldest unfinished run. */
  readonly eventsFromPosition?: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MIB = 1024 * 1024;

/**
 * Handlers answer or say that they are still working; a process that died does neither, and its messages go to
 * another member after this long. Short enough not to be noticed by people, long enough for a pause of the machine.
 */
export const ACK_WAIT_MS = 30_000;

/** Lease TTL (120 s) and a heartbeat (20 s), and a little for the clocks: see the domain's timeouts. */
export const DISPATCH_ACK_WAIT_MS = 150_000;

/**
 * What a service does with a message it cannot handle: deliver it again after these pauses, then park it. Eight
 * deliveries over about nine minutes outlast a restart of the database or a forge's short outage.
 */
export interface RetryPolicy {
  readonly maxDeliver: number;
  /** Pause after the first, second ... delivery; the last one repeats. */
  readonly backoffMs: readonly number[];
}
export const RETRY_POLICY: RetryPolicy = {
  maxDeliver: 8,
  backoffMs: [1_000, 5_000, 15_000, 30_000, 60_000, 120_000, 300_000],
};

const STREAM_DEFAULTS = {
  retention: 'limits',
  discard: 'old',
  maxMessagesPerSubject: null,
  denyDelete: false,
  denyPurge: false,
  // The server's default: long enough for a publisher that lost its answer to ask again.
  duplicateWindowMs: 2 * MINUTE_MS,
  firstSequence: 1,
} as const;

function streams(settings: TopologySettings): StreamSpec[] {
  const bytes = (name: StreamName, mib: number): number => settings.maxBytes?.[name] ?? mib * MIB;
  return [
    {
      ...STREAM_DEFAULTS,
      name: STREAMS.events,
      description: 'the log in order; sequence = position',
      subjects: [SUBJECT_FILTERS.events],
      maxAgeMs: 30 * DAY_MS,
      maxBytes: bytes(STREAMS.events, 1024),
      denyDelete: true,
      denyPurge: true,
      firstSequence: settings.eventsFromPosition ?? 1,
    },
    {
      ...STREAM_DEFAULTS,
      name: STREAMS.reports,
      description: 'what services say happened, for the orchestrator to accept or refuse',
      subjects: [SUBJECT_FILTERS.reports],
      maxAgeMs: 7 * DAY_MS,
      maxBytes: bytes(STREAMS.reports, 512),
    },
    {
      ...STREAM_DEFAULTS,
      name: STREAMS.dispatch,
      description: 'one message per queued attempt; the log decides whether it still waits',
      subjects: [SUBJECT_FILTERS.dispatch],
      retention: 'work-queue',
      discard: 'new',
      // A queue timeout (24 h) ends the attempt; a hint older than that speaks of nothing.
      maxAgeMs: DAY_MS,
      maxBytes: bytes(STREAMS.dispatch, 256),
      // Beyond this a pool has hours of work ahead: the rest waits in the tables and is dispatched again later.
      maxMessagesPerSubject: 10_000,
    },
    {
      ...STREAM_DEFAULTS,
      name: STREAMS.parked,
      description: 'messages that failed too often, kept for a person',
      subjects: [SUBJECT_FILTERS.parked],
      maxAgeMs: 30 * DAY_MS,
      maxBytes: bytes(STREAMS.parked, 256),
    },
  ];
}

/** Which part of the log each service follows. A durable consumer has the service's name. */
export const EVENT_CONSUMERS = {
  planner: 'delta.events.run.>',
  'failure-analyzer': 'delta.events.attempt.finished.>',
  'status-reporter': SUBJECT_FILTERS.events,
  'runner-controller': SUBJECT_FILTERS.events,
} as const;
export type EventService = keyof typeof EVENT_CONSUMERS;
export const EVENT_SERVICES = Object.keys(EVENT_CONSUMERS) as EventService[];

/** The orchestrator alone takes reports. */
export const REPORT_CONSUMER = 'orchestrator';

export const dispatchConsumer = (pool: string): string => `dispatch-${pool}`;

/** Consumer of messages an operator sent back to one service. */
export const retryConsumer = (service: EventService): string => `retry-${service}`;

// Bounds what a service that stopped answering can hold; a member takes only as many as it works on.
const MAX_ACK_PENDING = 1_000;

const CONSUMER_DEFAULTS = { ackWaitMs: ACK_WAIT_MS, maxAckPending: MAX_ACK_PENDING };

function eventConsumers(service: EventService): ConsumerSpec[] {
  return [
    {
      ...CONSUMER_DEFAULTS,
      name: service,
      stream: STREAMS.events,
      description: `events the ${service} follows`,
      filter: EVENT_CONSUMERS[service],
    },
    {
      ...CONSUMER_DEFAULTS,
      name: retryConsumer(service),
      stream: STREAMS.parked,
      description: `parked events sent back to the ${service}`,
      filter: retrySubject(service),
    },
  ];
}

/** Everything the provisioner creates. */
export function topology(settings: TopologySettings): Topology {
  return {
    replicas: settings.replicas ?? 1,
    streams: streams(settings),
    consumers: [
      ...EVENT_SERVICES.flatMap(eventConsumers),
      {
        ...CONSUMER_DEFAULTS,
        name: REPORT_CONSUMER,
        stream: STREAMS.reports,
        description: 'reports the orchestrator takes',
        filter: SUBJECT_FILTERS.reports,
      },
      ...settings.pools.map((pool) => ({
        name: dispatchConsumer(pool),
        stream: STREAMS.dispatch,
        description: `queued attempts of the pool ${pool}`,
        filter: dispatchSubject(pool),
        ackWaitMs: settings.dispatchAckWaitMs ?? DISPATCH_ACK_WAIT_MS,
        maxAckPending: 10_000,
      })),
    ],
  };
}
