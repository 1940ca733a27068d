import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * When an artifact's time was over, and how to find those whose time is: by when it ends, while they are kept; by when it
 * ended, the last first; and whoever else refers to the same bytes.
 */
export class ExpireArtifacts1763600000009 implements MigrationInterface {
  readonly name = 'ExpireArtifacts1763600000009';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX artifact_digest, artifact_due, artifact_expired');
    await runner.query('ALTER TABLE artifact DROP COLUMN expired_at_ms');
  }
}

const STATEMENTS = [
  'ALTER TABLE artifact ADD COLUMN expired_at_ms bigint',
  'CREATE INDEX artifact_digest ON artifact (digest)',
  `CREATE INDEX artifact_due ON artifact ((recorded_at_ms + retention_days * 86400000::bigint))
     WHERE expired_at_ms IS NULL`,
  'CREATE INDEX artifact_expired ON artifact (expired_at_ms DESC) WHERE expired_at_ms IS NOT NULL',
];
