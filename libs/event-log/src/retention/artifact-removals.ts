import type { LogConnection } from '../connection.ts';

/** One number for all databases' sake: advisory locks are told apart by database. */
const LOCK = "hashtextextended('delta-artifact-removals', 0)";

/**
 * Removes artifacts' bytes while whoever `waitForRemovals` waits. `remove` asks who refers to them, and removes what nobody does:
 * what is recorded in between is looked for only when it is over, and then found missing. One at a time. The lock is that of a
 * session, and not of a transaction: those may not idle for as long as a store may take.
 */
export async function whileRemovingArtifacts({ pool }: LogConnection, remove: () => Promise<void>): Promise<void> {
  const session = await pool.connect();
  try {
    await session.query(`SELECT pg_advisory_lock(${LOCK})`);
    await remove();
    await session.query(`SELECT pg_advisory_unlock(${LOCK})`);
    session.release();
  } catch (error) {
    // With its session the lock goes, whatever state it is in.
    session.release(true);
    throw error;
  }
}

/** Waits for removals under way: an artifact recorded before, whose bytes stand afterwards, keeps them. */
export async function waitForRemovals({ pool }: LogConnection): Promise<void> {
  await pool.query(`SELECT pg_advisory_xact_lock_shared(${LOCK})`);
}
