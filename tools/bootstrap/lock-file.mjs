// @ts-check
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SetupProblem, codeOf } from './setup-problem.mjs';

/** The holder touches its lock this often, so that a lock of another machine or container can be judged too. */
const HEARTBEAT_MS = 2_000;
/** Fifteen missed heartbeats: even a machine that swaps has answered by then. */
const STALE_AFTER_MS = 30_000;
/** How often a waiter looks again. */
const RETRY_MS = 50;
/** Longer than the slowest step (installing packages on a slow network). */
const WAIT_LIMIT_MS = 15 * 60_000;

/** @typedef {{ token: string, pid: number, host: string }} Holder */

/**
 * Does the work while nobody else who asks for the same lock file does theirs. A lock whose process died is taken over:
 * at once on the same host, after 30 s without a heartbeat otherwise.
 *
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, work) {
  const holder = { token: randomUUID(), pid: process.pid, host: hostname() };
  await mkdir(dirname(file), { recursive: true });
  await acquire(file, holder);
  const heartbeat = setInterval(() => void touch(file), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if ((await readHolder(file))?.token === holder.token) await rm(file, { force: true });
  }
}

/** @param {string} file @param {Holder} holder */
async function acquire(file, holder) {
  const deadline = Date.now() + WAIT_LIMIT_MS;
  while (!(await place(file, holder))) {
    if (await isStale(file)) await removeIfStale(file);
    else await pause(RETRY_MS);
    if (Date.now() > deadline) {
      throw new SetupProblem(`another set-up has held ${file} for 15 minutes`, 'end it, or remove that file');
    }
  }
}

/**
 * Creates the lock with its content in one step (a link either appears whole or fails), so nobody reads half a lock.
 *
 * @param {string} file
 * @param {Holder} holder
 */
async function place(file, holder) {
  const draft = `${file}.${holder.token}`;
  await writeFile(draft, JSON.stringify(holder));
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Removal happens under a second lock and looks again first: two waiters that both saw a dead holder must not remove
 * the lock that one of them has taken in the meantime.
 *
 * @param {string} file
 */
async function removeIfStale(file) {
  const guard = `${file}.takeover`;
  const taken = await place(guard, { token: randomUUID(), pid: process.pid, host: hostname() });
  if (!taken) {
    if (await isStale(guard)) await rm(guard, { force: true });
    return;
  }
  try {
    if (await isStale(file)) await rm(file, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

/** @param {string} file */
async function isStale(file) {
  const holder = await readHolder(file);
  if (holder === null) return false;
  if (holder.host === hostname() && !isAlive(holder.pid)) return true;
  const silent_ms = await stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  return silent_ms > STALE_AFTER_MS;
}

/** @param {string} file @returns {Promise<Holder | null>} */
async function readHolder(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return null;
  }
}

/** @param {string} file */
async function touch(file) {
  const now = new Date();
  await utimes(file, now, now).catch(() => {});
}

/**
 * Whether a process of that number exists, ours or not.
 *
 * @param {number} pid
 */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
