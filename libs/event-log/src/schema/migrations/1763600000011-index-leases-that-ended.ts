import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Finds whether a runner had a lease. Only ended ones: that a lease ends changes `live`, and is written into each index as it is,
 * so being granted, accepted and renewed costs no more than before.
 */
export class IndexLeasesThatEnded1763600000011 implements MigrationInterface {
  readonly name = 'IndexLeasesThatEnded1763600000011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX lease_ended_of_runner ON lease (runner_id) WHERE NOT live');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX lease_ended_of_runner');
  }
}
