import { spawn, type ChildProcess } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isAlive } from './lock-file.mjs';

/** Runs lines of a module that starts servers, to which `bootstrap` is this folder's door, and gives the first line it prints. */
export async function runUntilFirstLine(
  lines: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly line: string }> {
  const door = join(import.meta.dirname, 'index.mjs');
  const script = [`import * as bootstrap from ${JSON.stringify(door)};`, ...lines].join('\n');
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) return { child, line };
  throw new Error('it printed nothing');
}

/** A process that has ended stays listed until its parent collects it. */
export async function hasEnded(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return true;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.includes(') Z ');
}

export const isGone = (path: string): Promise<boolean> =>
  access(path).then(
    () => false,
    () => true,
  );
