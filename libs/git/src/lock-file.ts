import { randomUUID } from 'node:crypto';
import { link, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { done, failed, type GitResult } from './git-error.ts';
import { hasErrorCode } from './system-error.ts';

/** How often a waiting process looks again: small beside a fetch, large beside a look. */
const LOOK_AGAIN_MS = 50;

/** A holder on another machine cannot be asked whether it lives; no fetch lasts this long. */
const FOREIGN_HOLDER_LIMIT_MS = 3_600_000;

/** Who holds something: as written into lock files and into the names of markers. */
export interface Holder {
  readonly host: string;
  readonly pid: number;
  readonly token: string;
}

/** Tokens this process holds. A holder with our own process id and another token is a former life of ours. */
const ourTokens = new Set<string>();

export function newHolder(): Holder {
  const holder = { host: hostname(), pid: process.pid, token: randomUUID() };
  ourTokens.add(holder.token);
  return holder;
}

export function forgetHolder(holder: Holder): void {
  ourTokens.delete(holder.token);
}

function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return hasErrorCode(error, 'EPERM');
  }
}

/** Whether a holder can no longer be there. */
export function isGone(holder: Holder, sinceMs: number, nowMs: number): boolean {
  if (holder.host !== hostname()) return nowMs - sinceMs > FOREIGN_HOLDER_LIMIT_MS;
  if (holder.pid === process.pid) return !ourTokens.has(holder.token);
  return !processLives(holder.pid);
}

/** `host pid token`: one line, so that a torn write is recognised. */
export function writeHolder(holder: Holder): string {
  return `${holder.host} ${holder.pid} ${holder.token}\n`;
}

export function readHolder(text: string): Holder | undefined {
  const [, host, pid, token] = /^(\S+) (\d+) ([0-9a-f-]{36})\n$/u.exec(text) ?? [];
  return host === undefined || token === undefined ? undefined : { host, pid: Number(pid), token };
}

/** Makes the lock appear whole or not at all: a link to a file that is already written. */
async function tryToTake(path: string, holder: Holder): Promise<boolean> {
  const draft = `${path}.${holder.token}`;
  await writeFile(draft, writeHolder(holder), { flag: 'wx' });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

/** Reads a lock; undefined when it has just gone. An unreadable one counts as held by nobody. */
async function look(path: string): Promise<{ holder: Holder | undefined; sinceMs: number } | undefined> {
  try {
    const [text, facts] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { holder: readHolder(text), sinceMs: facts.mtimeMs };
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Removes a lock whose holder is gone. Several processes may notice at once: a link named after the dead holder's
 * token picks the one that removes it, and what was linked is read again, so that nobody removes a living lock.
 */
async function removeIfAbandoned(path: string): Promise<void> {
  const found = await look(path);
  if (found === undefined) return;
  const { holder, sinceMs } = found;
  if (holder !== undefined && !isGone(holder, sinceMs, Date.now())) return;
  const claim = `${path}.abandoned-${holder?.token ?? 'unreadable'}`;
  try {
    await link(path, claim);
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST', 'ENOENT')) return;
    throw error;
  }
  try {
    const claimed = await look(claim);
    if (claimed !== undefined && claimed.holder?.token === holder?.token) await unlink(path);
  } finally {
    await unlink(claim);
  }
}

export interface LockOptions {
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes a lock that holds among processes, and returns what gives it back. Locks of processes that died are removed.
 * The lock saves work, it does not guard integrity: git itself stays consistent when two processes fetch at once.
 */
export async function takeLock(path: string, options: LockOptions): Promise<GitResult<() => Promise<void>>> {
  const holder = newHolder();
  const deadlineMs = Date.now() + options.waitMs;
  for (;;) {
    if (options.signal?.aborted === true) {
      forgetHolder(holder);
      return failed('git_canceled', 'waiting for a lock was canceled');
    }
    if (await tryToTake(path, holder)) {
      return done(async () => {
        await unlink(path);
        forgetHolder(holder);
      });
    }
    await removeIfAbandoned(path);
    if (Date.now() >= deadlineMs) {
      forgetHolder(holder);
      return failed('lock_timed_out', `another process kept ${path} for more than ${options.waitMs} ms`);
    }
    await wait(LOOK_AGAIN_MS);
  }
}
