import type { Bus, BusLog, BusMessage, Delivery, PullEnd } from '../bus.ts';
import { topology, type Topology, type TopologySettings } from '../topology.ts';
import type { StreamName } from '@delta-ci/contracts';

/** What a bus under test can be put through. One server for a whole file, emptied before each test. */
export interface BusFixture {
  /** A connection of its own, which writes there; closed by the fixture at the end of the test. */
  connect(log: BusLog): Promise<Bus>;
  /** Everything stored disappears, streams and consumers included, as when an operator deletes the store. */
  loseStore(): Promise<void>;
  /** Closes the connections made since the last call, and empties the server. */
  reset(): Promise<void>;
  /** Ends the server. */
  end(): Promise<void>;
}

/** What a test of the contract is given. Connections, cleanups and everything stored are its own. */
export interface Given {
  /** Provisioned with the test topology. */
  readonly bus: Bus;
  /** A second connection. */
  readonly other: Bus;
  /** What the connections wrote, and whatever else is given it. */
  readonly log: KeptLog;
  readonly connect: () => Promise<Bus>;
  readonly loseStore: () => Promise<void>;
  /** Runs when the test is over, the last one first. */
  readonly atEnd: (cleanup: () => Promise<void>) => void;
}

/** Tests by what they say. */
export type Contract = Readonly<Record<string, (given: Given) => Promise<void>>>;

/** The shortest ack wait that a busy machine does not trip over. */
export const ACK_WAIT_MS_TEST = 400;

export const SMALL: TopologySettings = {
  pools: ['default', 'big'],
  maxBytes: { EVENTS: 32 * 1024 * 1024, REPORTS: 8 * 1024 * 1024, DISPATCH: 8 * 1024 * 1024, PARKED: 8 * 1024 * 1024 },
};

/** The real streams and consumers with a short ack wait. */
export function testTopology(settings: Partial<TopologySettings> = {}): Topology {
  const real = topology({ ...SMALL, ...settings });
  return { ...real, consumers: real.consumers.map((spec) => ({ ...spec, ackWaitMs: ACK_WAIT_MS_TEST })) };
}

export function message(subject: string, text: string, headers: Record<string, string> = {}): BusMessage {
  return { subject, headers, body: Buffer.from(text) };
}

export const textOf = ({ body }: Pick<BusMessage, 'body'>): string => Buffer.from(body).toString();

/** Never aborts. */
export const GO_ON = new AbortController().signal;

/** Pulls once and keeps what came. */
export async function pullAll(
  bus: Bus,
  stream: StreamName,
  consumer: string,
  options: { max?: number; expiresMs?: number; signal?: AbortSignal } = {},
): Promise<{ end: PullEnd; deliveries: Delivery[] }> {
  const deliveries: Delivery[] = [];
  const { max = 10, expiresMs = 0, signal = GO_ON } = options;
  const end = await bus.pull({ stream, consumer, max, expiresMs, signal }, (delivery) => deliveries.push(delivery));
  return { end, deliveries };
}

export interface KeptLog extends BusLog {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[];
}

/** A log that keeps its lines. */
export function keptLog(): KeptLog {
  const lines: KeptLog['lines'] = [];
  const at = (level: string) => (fields: object, text: string) => {
    lines.push({ level, fields, message: text });
  };
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}
