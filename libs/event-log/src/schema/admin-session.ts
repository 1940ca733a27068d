import pg from 'pg';
import { databaseNameOf, roleNames, type RoleNames } from './role-names.ts';

/** Any constant will do; advisory locks are per database. Spells "delta" in ASCII. */
const SCHEMA_LOCK = '431164913761';

/**
 * Runs `work` on one administrator's connection while holding the schema lock: services that start at the same time
 * wait for each other here. The lock belongs to the session, so a crash releases it.
 */
export async function underSchemaLock<T>(
  adminUrl: string,
  work: (client: pg.Client, roles: RoleNames) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'delta-migrate' });
  await client.connect();
  try {
    await client.query(`SELECT pg_advisory_lock(${SCHEMA_LOCK})`);
    return await work(client, roleNames(databaseNameOf(adminUrl)));
  } finally {
    await client.end();
  }
}
