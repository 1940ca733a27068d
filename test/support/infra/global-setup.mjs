// @ts-check
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SOCKET_VARIABLE } from './messages.ts';
import { openOwner } from './owner.ts';

const repoRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** @type {import('./owner.ts').Owner | undefined} */
let owner;

/** Jest calls this once, before any test file: the servers have an owner, and none is started before a test asks. */
export default async function openTestSession() {
  owner = await openOwner(repoRoot);
  process.env[SOCKET_VARIABLE] = owner.socketPath;
}

export async function closeTestSession() {
  await owner?.close();
  owner = undefined;
}
