import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far streams of the bus were seen: written every few seconds while something is said, one row for each stream. */
export class CreateStreamMarks1763600000005 implements MigrationInterface {
  readonly name = 'CreateStreamMarks1763600000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE stream_mark (
        stream text PRIMARY KEY,
        sequence bigint NOT NULL,
        stored_at text
      ) WITH (fillfactor = 50)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stream_mark');
  }
}
