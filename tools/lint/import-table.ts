/**
 * Holds the workspace against the import table (`rooms.ts`) and prints what breaks it, one line each.
 * Run as `node tools/lint/import-table.ts`, part of `npm run lint`; the exit code is 1 when anything is broken.
 */
import { resolve } from 'node:path';
import { checkWorkspace } from './check-workspace.ts';
import { readWorkspace } from './read-workspace.ts';
import { rooms } from './rooms.ts';

const workspace = readWorkspace(resolve(import.meta.dirname, '../..'));
const breaches = checkWorkspace(workspace, rooms);
for (const breach of breaches) console.error(breach);
console.log(`import table: ${workspace.projects.length} projects, ${breaches.length} breaches`);
process.exitCode = breaches.length === 0 ? 0 : 1;
