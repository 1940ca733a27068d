import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { format } from 'prettier';
import type { Machine } from './machine.ts';
import { fileNameOf, HISTORY_FOLDER, merged, parseRecorded, type Recorded } from './report/history.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** A run that has measured nothing yet, of the commit that is checked out. */
export function recordedRun(machine: Machine): Recorded {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  // Earlier goes of the same run change the history and nothing else.
  const changed = git('status', '--porcelain', '--', '.', `:!${HISTORY_FOLDER}`) !== '';
  return { version: 1, commit: git('rev-parse', 'HEAD'), changed, machine, measured: [] };
}

/** Adds the run to the history, to the file of its commit if there is one. @returns its path from the root */
export async function record(run: Recorded): Promise<string> {
  const path = join(HISTORY_FOLDER, fileNameOf(run));
  const file = join(ROOT, path);
  const before = existsSync(file) ? parseRecorded(path, await readFile(file, 'utf8')) : null;
  await mkdir(join(ROOT, HISTORY_FOLDER), { recursive: true });
  await writeFile(file, await format(JSON.stringify(merged(before, run)), { parser: 'json', printWidth: 120 }));
  return path;
}
