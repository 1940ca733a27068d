import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * By which names a job's steps are known from one run to the next, so that what they take can be learned without reading
 * whole plans. Null for plans of the time before: nothing is learned from those.
 */
export class KeepStepsOfPlans1763600000007 implements MigrationInterface {
  readonly name = 'KeepStepsOfPlans1763600000007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE plan_job ADD COLUMN steps jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE plan_job DROP COLUMN steps');
  }
}
