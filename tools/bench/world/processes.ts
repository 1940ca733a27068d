import { readdirSync, readFileSync } from 'node:fs';

/** What processes used, as the system counts it. Linux only: elsewhere there is no such file system. */

/** The kernel's unit in /proc; the same on every Linux we run on. */
const TICKS_PER_SECOND = 100;

/** CPU time of one process so far and of its children that have ended, in milliseconds; 0 for one that ended itself. */
function cpuMsOf(pid: number): number {
  // The name in parentheses may hold spaces, so fields are counted from its end.
  const fields = textOf(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  const ticks = sum(fields.slice(11, 15).map(Number));
  return (ticks * 1_000) / TICKS_PER_SECOND;
}

/** Memory that would come free if the process ended, with its share of what it has in common with others; in MB. */
export function memoryMbOf(pid: number): number {
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1];
  return Number(kilobytes ?? 0) / 1_024;
}

/** The process and everything it started that still runs. */
function withDescendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(textOf(`/proc/${name}/stat`).split(') ').at(-1)?.split(' ')[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const family = (of: number): number[] => [of, ...(children.get(of) ?? []).flatMap(family)];
  return family(pid);
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** CPU time of processes and all they started, in milliseconds. */
export const cpuMsOfAll = (pids: readonly number[]): number => sum(pids.flatMap(withDescendants).map(cpuMsOf));

export const memoryMbOfAll = (pids: readonly number[]): number => sum(pids.flatMap(withDescendants).map(memoryMbOf));

/** Share of one core that processes used while something ran, in percent. */
export async function cpuShareDuring(pids: readonly number[], work: () => Promise<unknown>): Promise<number[]> {
  const before = pids.map((pid) => cpuMsOfAll([pid]));
  const startedAt = performance.now();
  await work();
  const tookMs = performance.now() - startedAt;
  return pids.map((pid, at) => ((cpuMsOfAll([pid]) - (before[at] ?? 0)) / tookMs) * 100);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
