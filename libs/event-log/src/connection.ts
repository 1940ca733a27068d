import pg from 'pg';
import { DataSource } from 'typeorm';
import { ENTITIES } from './schema/entities.ts';

/** One process's connections to the log's database. */
export interface LogConnection {
  /** For statements of the hot path: pipelined, so several can be under way on one connection. */
  readonly pool: pg.Pool;
  /** For reads that people wait for: entities and query builder. */
  readonly reads: DataSource;
  close(): Promise<void>;
}

export interface OpenLogOptions {
  /** The URL of an application role, from `provisionRoles`. */
  readonly databaseUrl: string;
  /** Shown by the server in `pg_stat_activity`: the service's name. */
  readonly applicationName: string;
  /** Connections of the hot path. Default 6: one for the writer, the others for timers, renewals and look-ups. */
  readonly hotConnectionsMax?: number;
  /** Connections for reads. Default 4. */
  readonly readConnectionsMax?: number;
}

/** A server that does not answer for this long is treated as gone; above the role's own `statement_timeout`. */
const ANSWER_TIMEOUT_MS = 35_000;
const CONNECT_TIMEOUT_MS = 5_000;
const INT8_OID = 20;

/** Opens the log. @throws when the database cannot be reached. */
export async function openLog(options: OpenLogOptions): Promise<LogConnection> {
  const types = new pg.TypeOverrides();
  // `bigint` as number: positions and milliseconds stay far below 2^53.
  types.setTypeParser(INT8_OID, Number);
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    application_name: options.applicationName,
    max: options.hotConnectionsMax ?? 6,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
    pipeline: true,
    types,
  });
  surviveBrokenConnections(pool);
  const reads = new DataSource({
    type: 'postgres',
    url: options.databaseUrl,
    applicationName: options.applicationName,
    entities: [...ENTITIES],
    poolSize: options.readConnectionsMax ?? 4,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    installExtensions: false,
    parseInt8: true,
    poolErrorHandler: () => undefined,
  });
  await reads.initialize();
  return { pool, reads, close: () => closeBoth(pool, reads) };
}

/**
 * A connection that breaks is replaced when one is next needed, and whoever was using it hears of it from his
 * statement. Without these listeners the same news, told as an event, would end the process.
 */
export function surviveBrokenConnections(pool: pg.Pool): void {
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
}

async function closeBoth(pool: pg.Pool, reads: DataSource): Promise<void> {
  await Promise.all([pool.end(), reads.destroy()]);
}
