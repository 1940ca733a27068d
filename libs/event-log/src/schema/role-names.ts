import { createHash } from 'node:crypto';

/** The three roles of one database. Roles belong to the whole cluster, so their names end in a mark of the database. */
export interface RoleNames {
  /** Owns every table and the append function; nobody logs in as it. */
  readonly owner: string;
  /** The orchestrator: reads everything, appends through the function, writes projections. */
  readonly orchestrator: string;
  /** Gateway, status-reporter, runner-controller: reads only. */
  readonly reader: string;
}

/** Role names for the database called `databaseName`: eight hexadecimal digits of its name's SHA-256 tell databases apart. */
export function roleNames(databaseName: string): RoleNames {
  const mark = createHash('sha256').update(databaseName).digest('hex').slice(0, 8);
  return { owner: `delta_owner_${mark}`, orchestrator: `delta_orchestrator_${mark}`, reader: `delta_reader_${mark}` };
}

/** The database a connection URL names. @throws TypeError when it names none. */
export function databaseNameOf(databaseUrl: string): string {
  const name = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  if (name === '') throw new TypeError('the database URL names no database');
  return name;
}
