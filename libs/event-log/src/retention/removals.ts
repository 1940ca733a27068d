import type { LogConnection } from '../connection.ts';

/** What is removed of the store while somebody may record it: removals of one kind wait for each other, and for nothing else. */
export type RemovedKind = 'artifact' | 'cache-chunk';

/** One number for all databases' sake: advisory locks are told apart by database. */
const LOCK = 'hashtextextended($1, 0)';
const lockOf = (kind: RemovedKind): [string] => [`delta-${kind}-removals`];

/**
 * Removes bytes of a kind while whoever `waitForRemovals` of it waits. `remove` asks who refers to them, and removes what nobody does:
 * what is recorded in between is looked for only when it is over, and then found missing. One at a time. The lock is that of a
 * session, and not of a transaction: those may not idle for as long as a store may take.
 */
export async function whileRemoving(
  { pool }: LogConnection,
  kind: RemovedKind,
  remove: () => Promise<void>,
): Promise<void> {
  const session = await pool.connect();
  try {
    await session.query(`SELECT pg_advisory_lock(${LOCK})`, lockOf(kind));
    await remove();
    await session.query(`SELECT pg_advisory_unlock(${LOCK})`, lockOf(kind));
    session.release();
  } catch (error) {
    // With its session the lock goes, whatever state it is in.
    session.release(true);
    throw error;
  }
}

/** Waits for removals under way: what was recorded before, and whose bytes stand afterwards, keeps them. */
export async function waitForRemovals({ pool }: LogConnection, kind: RemovedKind): Promise<void> {
  await pool.query(`SELECT pg_advisory_xact_lock_shared(${LOCK})`, lockOf(kind));
}
