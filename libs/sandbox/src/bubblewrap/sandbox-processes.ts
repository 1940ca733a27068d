import type { ChildProcess } from 'node:child_process';
import { signalProcess, startTicksOf } from '../process-table.ts';
import { waitUntil } from '../wait-until.ts';

/** Ending a namespace waits for the last system call of each of its processes. */
const BURIED_WITHIN_MS = 5_000;

/** The host's number of the sandbox's first process, from bubblewrap's status; null when it was not reported yet. */
export function firstProcessOf(status: string): number | null {
  const pid = Number(/"child-pid":\s*(\d+)/.exec(status)?.[1]);
  return Number.isInteger(pid) && pid > 1 ? pid : null;
}

const running = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

/**
 * How to reach the processes of a bubblewrap sandbox. Its first process leads the step's session and process group; as
 * the first of its namespace it ignores SIGTERM itself and, killed, takes every other with it.
 */
export const sandboxProcesses = {
  terminate(child: ChildProcess, status: string): void {
    const first = firstProcessOf(status);
    if (first !== null && running(child)) signalProcess(-first, 'SIGTERM');
  },
  kill(child: ChildProcess, status: string): void {
    if (!running(child)) return;
    const first = firstProcessOf(status);
    if (first === null) child.kill('SIGKILL');
    else signalProcess(first, 'SIGKILL');
  },
  /** Bubblewrap may answer for the step a moment before the kernel has buried the rest. */
  async gone(status: string): Promise<boolean> {
    const first = firstProcessOf(status);
    const ticks = first === null ? null : startTicksOf(first);
    return first === null || ticks === null || waitUntil(() => startTicksOf(first) !== ticks, BURIED_WITHIN_MS);
  },
} as const;
