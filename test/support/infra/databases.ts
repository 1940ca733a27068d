import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import type { DatabaseGiven } from './messages.ts';

export interface Databases {
  create(): Promise<DatabaseGiven>;
  drop(name: string): Promise<void>;
  /** Drops what is left and ends the connection. */
  close(): Promise<void>;
}

/**
 * Makes and drops databases on a server. One connection does it all, one statement after another: two copies of the
 * same template at once would get in each other's way.
 */
export async function openDatabases(superuserUrl: string): Promise<Databases> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  const names = new Set<string>();
  const drop = async (name: string): Promise<void> => {
    if (!names.delete(name)) return;
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await dropRolesOf(client, name);
  };
  return {
    async create() {
      const name = `delta_test_${randomBytes(6).toString('hex')}`;
      const password = randomBytes(12).toString('hex');
      names.add(name);
      await client.query(`CREATE ROLE ${name} LOGIN PASSWORD '${password}'`);
      await client.query(`CREATE DATABASE ${name} OWNER ${name} TEMPLATE template0`);
      return { name, ...addresses({ superuserUrl, name, password }) };
    },
    drop,
    async close() {
      for (const name of names) await drop(name);
      await client.end();
    },
  };
}

/**
 * Roles belong to the whole server. Besides the owner there are those of the event log, whose names end in eight digits
 * of the SHA-256 of the database's name.
 */
async function dropRolesOf(client: pg.Client, database: string): Promise<void> {
  const mark = createHash('sha256').update(database).digest('hex').slice(0, 8);
  const roles = await client.query<{ rolname: string }>(
    'SELECT rolname FROM pg_roles WHERE rolname = $1 OR rolname LIKE $2',
    [database, `delta%\\_${mark}`],
  );
  for (const { rolname } of roles.rows) await client.query(`DROP ROLE ${pg.escapeIdentifier(rolname)}`);
}

interface Login {
  readonly superuserUrl: string;
  readonly name: string;
  readonly password: string;
}

function addresses({ superuserUrl, name, password }: Login): { readonly url: string; readonly adminUrl: string } {
  const admin = new URL(superuserUrl);
  admin.pathname = `/${name}`;
  const owner = new URL(admin);
  owner.username = name;
  owner.password = password;
  return { url: owner.href, adminUrl: admin.href };
}
