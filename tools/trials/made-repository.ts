import { devNull } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../bootstrap/run-command.mjs';
import type { Files } from './trial.ts';

/** A commit to be made, on top of the one before it or of the first. */
export interface Commit {
  readonly title: string;
  /** All files of the commit. */
  readonly files: Files;
}

/**
 * A bare repository whose first commit everything else is a change of: branch `0` is the first, `1` and so on are each a
 * commit on top of it.
 *
 * @param directory absolute, to make it in
 * @returns its folder
 */
export async function makeRepository(directory: string, commits: readonly Commit[]): Promise<string> {
  const gitDir = join(directory, 'trial.git');
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' };
  await git(['init', '--quiet', '--bare', '--initial-branch=0', gitDir], { env });
  await git(['fast-import', '--quiet'], { env, cwd: gitDir, input: commits.map(imported).join('') });
  return gitDir;
}

async function git(args: readonly string[], options: NonNullable<Parameters<typeof runCommand>[2]>): Promise<void> {
  const { code, stderr } = await runCommand('git', args, options);
  if (code !== 0) throw new Error(`git ${args[0] ?? ''}: ${stderr.trim()}`);
}

function imported({ title, files }: Commit, at: number): string {
  const who = `committer Trial <trial@example.test> ${1_700_000_000 + at} +0000`;
  const from = at === 0 ? '' : 'from refs/heads/0\n';
  const lines = Object.entries(files).map(([path, text]) => `M 644 inline ${path}\n${data(text)}`);
  return `commit refs/heads/${at}\n${who}\n${data(title)}${from}deleteall\n${lines.join('')}\n`;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}
