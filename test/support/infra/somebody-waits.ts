import type { Pool } from 'pg';
import { eventually } from './eventually.ts';

/** Passes once a session waits for an advisory lock of the database that this pool is connected to. */
export async function somebodyWaits(pool: Pick<Pool, 'query'>): Promise<void> {
  await eventually('somebody waits for a lock of the database', async () => {
    const { rows } = await pool.query(
      `SELECT 1 FROM pg_locks JOIN pg_database ON oid = database
       WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted`,
    );
    return rows.length > 0;
  });
}
