import type { EpochMs, PoolName, RunnerCapabilities, RunnerId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

export interface KnownRunner {
  readonly runnerId: RunnerId;
  readonly name: string;
  readonly pool: PoolName;
  readonly capabilities: RunnerCapabilities;
  readonly version: string;
  readonly registeredAtMs: EpochMs;
  /** False once it was retired: it gets no further lease. */
  readonly present: boolean;
}

const TEXT = `
  SELECT runner_id AS "runnerId", name, pool, capabilities, version, registered_at_ms AS "registeredAtMs", present
  FROM runner WHERE runner_id = $1`;

/** The runner as it registered; null when it never did. */
export async function findRunner({ pool }: LogConnection, runnerId: RunnerId): Promise<KnownRunner | null> {
  return (await pool.query<KnownRunner>({ name: 'find-runner', text: TEXT, values: [runnerId] })).rows[0] ?? null;
}
