import type { Repository, RepositoryId, RunPolicy } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

export interface KnownRepository {
  /** As the latest run described it; null when only a policy was ever set. */
  readonly repository: Repository | null;
  readonly policy: Partial<RunPolicy>;
}

const TEXT = `SELECT repository, coalesce(policy, '{}') AS policy FROM repository WHERE repository_id = $1`;

/** What is stored of a repository; null when neither a run nor a policy named it yet. */
export async function findRepository({ pool }: LogConnection, id: RepositoryId): Promise<KnownRepository | null> {
  return (await pool.query<KnownRepository>({ name: 'find-repository', text: TEXT, values: [id] })).rows[0] ?? null;
}
