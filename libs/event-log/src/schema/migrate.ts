import pg from 'pg';
import { DataSource } from 'typeorm';
import { underSchemaLock } from './admin-session.ts';
import { grantStatements, sessionLimitStatements } from './grants.ts';
import { MIGRATIONS } from './migrations.ts';
import type { RoleNames } from './role-names.ts';

/** `adminUrl`: a connection that may create roles and create in the database; used for nothing else. */
export interface MigrateOptions {
  readonly adminUrl: string;
}

/** Names of the migrations that were applied just now, oldest first; empty when the schema was up to date. */
export type AppliedMigrations = readonly string[];

/**
 * Brings the database's schema, roles (without login) and rights to this version. May be repeated and may run in
 * several processes at once. @throws when the database refuses; nothing is applied then.
 */
export function migrate({ adminUrl }: MigrateOptions): Promise<AppliedMigrations> {
  return underSchemaLock(adminUrl, async (client, roles) => {
    await createRoles(client, roles);
    const applied = await runMigrations(adminUrl, roles);
    await inTransaction(client, [
      `SET LOCAL ROLE "${roles.owner}"`,
      ...grantStatements(roles),
      'RESET ROLE',
      ...sessionLimitStatements(roles),
    ]);
    return applied;
  });
}

async function createRoles(client: pg.Client, roles: RoleNames): Promise<void> {
  const names = [roles.owner, roles.orchestrator, roles.reader];
  const existing = await client.query<{ rolname: string }>('SELECT rolname FROM pg_roles WHERE rolname = ANY($1)', [
    names,
  ]);
  const known = new Set(existing.rows.map((row) => row.rolname));
  for (const name of names) if (!known.has(name)) await client.query(`CREATE ROLE "${name}" NOLOGIN`);
  // A superuser may act as anybody; any other administrator must be a member to create what the owner owns.
  const { rows } = await client.query<{ member: boolean }>(`SELECT pg_has_role(current_user, $1, 'USAGE') AS member`, [
    roles.owner,
  ]);
  if (rows[0]?.member !== true) await client.query(`GRANT "${roles.owner}" TO CURRENT_USER`);
  await client.query(`GRANT CREATE, USAGE ON SCHEMA public TO "${roles.owner}"`);
}

/** The owner role acts on TypeORM's connection from its first statement, so that it owns all it creates. */
async function runMigrations(adminUrl: string, roles: RoleNames): Promise<AppliedMigrations> {
  const source = new DataSource({
    type: 'postgres',
    url: adminUrl,
    applicationName: 'delta-migrate',
    migrations: [...MIGRATIONS],
    migrationsTableName: 'migration',
    migrationsTransactionMode: 'all',
    installExtensions: false,
    poolSize: 1,
    extra: { options: `-c role=${roles.owner}` },
  });
  await source.initialize();
  try {
    return (await source.runMigrations()).map((migration) => migration.name);
  } finally {
    await source.destroy();
  }
}

async function inTransaction(client: pg.Client, statements: readonly string[]): Promise<void> {
  await client.query('BEGIN');
  try {
    for (const statement of statements) await client.query(statement);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
