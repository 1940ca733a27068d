import { connect, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';
import type { Bus, BusLog } from '../bus.ts';
import { JetStreamBus } from './jetstream-bus.ts';

export interface ConnectOptions {
  /** e.g. `nats://127.0.0.1:4222`; several for a cluster. */
  readonly servers: readonly string[];
  /** Shown in the server's list of connections: the service. */
  readonly name: string;
  readonly log: BusLog;
  readonly user?: string;
  readonly password?: string;
  /** Certificate authority and key pair as file names, when the server asks for TLS. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** Subject prefix of replies, so that permissions can tell services apart; `_INBOX` unless told. */
  readonly inboxPrefix?: string;
}

/** How often a lost server is tried again: soon enough to go unnoticed, seldom enough to cost nothing. */
const RECONNECT_EVERY_MS = 500;
/** How often a silent connection is probed, and how many silences make it lost: half a minute in all. */
const PING_EVERY_MS = 10_000;
const PINGS_UNANSWERED_MAX = 2;

/**
 * Connects to NATS. Waits for a server that is not there yet, and comes back to one that went away, for ever:
 * services may start in any order. Rejects only when the server refuses the credentials.
 */
export async function connectBus(options: ConnectOptions): Promise<Bus> {
  const connection = await connect(connectionOptions(options));
  void followStatus(connection, options.log);
  return new JetStreamBus(connection, options.log, options.inboxPrefix);
}

function connectionOptions(options: ConnectOptions): ConnectionOptions {
  const { servers, name, user, password, tls, inboxPrefix } = options;
  return {
    servers: [...servers],
    name,
    waitOnFirstConnect: true,
    // Each would make an error with its stack for every request, in case that it fails.
    noAsyncTraces: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_EVERY_MS,
    pingInterval: PING_EVERY_MS,
    maxPingOut: PINGS_UNANSWERED_MAX,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
    ...(tls === undefined ? {} : { tls }),
    ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
  };
}

async function followStatus(connection: NatsConnection, log: BusLog): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') log.warn({ server: status.server }, 'bus disconnected');
    if (status.type === 'reconnect') log.info({ server: status.server }, 'bus connected again');
    if (status.type === 'error') log.error({ reason: status.error.message }, 'bus reports an error');
  }
}
