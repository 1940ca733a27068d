import { readdirSync, readFileSync } from 'node:fs';
import { errorCodeOf } from './error-code.ts';

/**
 * Readings of /proc. A process may end between two reads, and another user's may be closed: what is gone or not ours is simply not
 * reported. Whatever else keeps us from reading is thrown: a process is not gone because we have no descriptor left.
 */
const NOT_REPORTED: readonly (string | null)[] = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'];

const readOrNull = (path: string): string | null => {
  try {
    return readFileSync(path, 'latin1');
  } catch (reason) {
    if (NOT_REPORTED.includes(errorCodeOf(reason))) return null;
    throw reason;
  }
};

/** When a process started, in clock ticks since boot; with its id it names a process for ever. Null when it is gone. */
export function startTicksOf(pid: number): number | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field is the program's name in parentheses and may hold anything, so count from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[19]);
  return fields[0] === 'Z' || !Number.isFinite(ticks) ? null : ticks;
}

/** Processes whose initial environment holds `NAME=value` exactly. */
export function processesWithVariable(name: string, value: string): readonly number[] {
  const wanted = `\0${name}=${value}\0`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => `\0${readOrNull(`/proc/${pid}/environ`) ?? ''}`.includes(wanted))
    .map(Number)
    .filter((pid) => startTicksOf(pid) !== null);
}

/** Sends a signal to a process (or, negative, a group) and says whether there was one to send it to. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
