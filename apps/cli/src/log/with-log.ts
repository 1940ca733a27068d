import type { LogConnection } from '@delta-ci/event-log';
import { errorCode, errorMessage } from '../error-code.ts';
import { EXIT, Problem } from '../problem.ts';
import { safeText } from '../screen/safe-text.ts';
import { variable, type Surroundings } from '../surroundings.ts';

export interface DatabaseOptions {
  /** The URL of a role that may read the log. */
  readonly databaseUrl?: string;
}

/** The room of the log. It brings a database driver along, so only commands that read a log load it. */
export type EventLog = typeof import('@delta-ci/event-log');

/** The database to read the log from: the option, or `DELTA_DATABASE_URL`; null when neither names one. */
export function databaseUrlOf(surroundings: Surroundings, { databaseUrl }: DatabaseOptions): string | null {
  return databaseUrl ?? variable(surroundings, 'DELTA_DATABASE_URL');
}

/**
 * The one place where `delta` opens a log's database: opens it, lets `work` read, and closes it whatever comes out.
 * @throws Problem when it cannot be opened; a password is never part of it
 */
export async function withLog<T>(
  databaseUrl: string,
  work: (log: LogConnection, eventLog: EventLog) => Promise<T>,
): Promise<T> {
  const eventLog = await import('@delta-ci/event-log');
  const log = await open(databaseUrl, eventLog);
  try {
    return await work(log, eventLog);
  } finally {
    await log.close();
  }
}

async function open(databaseUrl: string, { openLog }: EventLog): Promise<LogConnection> {
  const place = placeOf(databaseUrl);
  try {
    return await openLog({ databaseUrl, applicationName: 'delta', hotConnectionsMax: 2, readConnectionsMax: 1 });
  } catch (error) {
    const why = errorCode(error) === 'ECONNREFUSED' ? 'nothing listens there' : safeText(errorMessage(error));
    throw new Problem('database_unreachable', `the database ${place} cannot be opened: ${why}`, {
      exitCode: EXIT.notJudged,
      next: 'name a role that may read with --database-url or DELTA_DATABASE_URL',
    });
  }
}

/** Host, port and name, without who logs in and how. */
function placeOf(databaseUrl: string): string {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : null;
  if (url !== null && /^postgres(?:ql)?:$/u.test(url.protocol)) return `${url.host}${url.pathname}`;
  throw new Problem('invalid_url', 'what --database-url names is not a postgres:// address');
}
