import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who was there at a moment of the past is found by when runners registered, as runs are by when they were created. */
export class IndexMoments1763600000004 implements MigrationInterface {
  readonly name = 'IndexMoments1763600000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX runner_by_registration ON runner (registered_at_ms)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX runner_by_registration');
  }
}
