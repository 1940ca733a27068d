import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Recipes, and the runs that failed because of one. A row is written once for each run that taught something new. */
export class CreateRecipes1763600000006 implements MigrationInterface {
  readonly name = 'CreateRecipes1763600000006';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of RECIPE_TABLES) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE recipe, recipe_failure');
  }
}

const RECIPE_TABLES = [
  `CREATE TABLE recipe (
     recipe_id text PRIMARY KEY, repository_id text NOT NULL, fingerprint text NOT NULL, version integer NOT NULL,
     digest text NOT NULL, rules text NOT NULL, learned_at_ms bigint NOT NULL
   )`,
  `CREATE INDEX recipe_newest ON recipe (learned_at_ms DESC, recipe_id DESC)`,
  // Serves the newest under a fingerprint, and all of a repository.
  `CREATE INDEX recipe_of_fingerprint ON recipe (repository_id, fingerprint, version DESC)`,
  `CREATE TABLE recipe_failure (
     recipe_id text NOT NULL, failed_in text NOT NULL, reason text NOT NULL, failed_at_ms bigint NOT NULL,
     PRIMARY KEY (recipe_id, failed_in)
   )`,
];
