import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Samples of the shadow ledger are a few among very many jobs. The policy of a job never changes, so that updates of its
 * row stay inside their page.
 */
export class IndexLeftOutJobs1763600000008 implements MigrationInterface {
  readonly name = 'IndexLeftOutJobs1763600000008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX job_left_out ON job (run_id) WHERE policy ? 'leftOut'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX job_left_out`);
  }
}
