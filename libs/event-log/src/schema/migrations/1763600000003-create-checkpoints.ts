import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Checkpoints by the position they cover: which one covers a record, and which is the newest, without reading the log. */
export class CreateCheckpoints1763600000003 implements MigrationInterface {
  readonly name = 'CreateCheckpoints1763600000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE checkpoint (
      position bigint PRIMARY KEY, hash text NOT NULL, unfinished text NOT NULL, time text NOT NULL,
      key_id text NOT NULL, signature text NOT NULL
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE checkpoint');
  }
}
