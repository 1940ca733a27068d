import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Caches that jobs saved. Of those that are not removed there is one for each repository, domain and key: whoever saves a second
 * one is refused. Found by that, by age, and by the chunks they refer to.
 */
export class CreateCaches1763600000010 implements MigrationInterface {
  readonly name = 'CreateCaches1763600000010';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of CACHE_TABLE) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE cache');
  }
}

const CACHE_TABLE = [
  `CREATE TABLE cache (
     run_id text NOT NULL, job_key text NOT NULL, attempt integer NOT NULL, key text NOT NULL,
     repository_id text NOT NULL, domain text NOT NULL, digest text NOT NULL, size_bytes bigint NOT NULL,
     content_bytes bigint NOT NULL, content jsonb NOT NULL, saved_at_ms bigint NOT NULL, removed_at_ms bigint,
     PRIMARY KEY (run_id, job_key, attempt, key)
   )`,
  `CREATE UNIQUE INDEX cache_one_kept ON cache (repository_id, domain, key) WHERE removed_at_ms IS NULL`,
  `CREATE INDEX cache_newest ON cache (saved_at_ms DESC, run_id DESC, job_key DESC, key DESC)
     WHERE removed_at_ms IS NULL`,
  `CREATE INDEX cache_chunk ON cache USING gin ((jsonb_path_query_array(content, '$.*[*].digest')))
     WHERE removed_at_ms IS NULL`,
];
