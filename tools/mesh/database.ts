/**
 * `npm run database -- DIRECTORY`: for services that are started without the mesh. Takes the administrator's address from
 * `DATABASE_URL`, brings that database to this version, and leaves the addresses of the application roles in the directory,
 * in files that their owner alone can read.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { showUsage } from '../bootstrap/index.mjs';
import { prepareDatabase } from './prepare-database.ts';

const USAGE = `DATABASE_URL=postgres://ADMINISTRATOR@HOST/DATABASE npm run database -- DIRECTORY

Brings the database to this version and gives its two roles new passwords. Their addresses are left in
DIRECTORY/orchestrator-url and DIRECTORY/reader-url, for DELTA_DATABASE_URL of the services.
`;

const [directory, ...more] = process.argv.slice(2);
const adminUrl = process.env['DATABASE_URL'];
if (directory === '--help') process.exit(showUsage(USAGE, null));
if (directory === undefined || more.length > 0) process.exit(showUsage(USAGE, 'name one directory'));
if (!adminUrl) process.exit(showUsage(USAGE, 'DATABASE_URL is not set'));

const urls = await prepareDatabase(adminUrl);
mkdirSync(directory, { recursive: true });
for (const [role, url] of Object.entries(urls)) {
  const file = join(directory, `${role}-url`);
  writeFileSync(file, `${url}\n`, { mode: 0o600 });
  process.stdout.write(`${file}\n`);
}
