import { chmod, copyFile, cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, lastLine } from '../bootstrap/run-command.mjs';
import type { GuestPrograms } from './programs.ts';

/** Scripts that run in the guest. */
const INSIDE = join(import.meta.dirname, 'inside');

/** What the scripts in the guest are told. */
export interface GuestWork {
  /** The workspace, the same path in the guest as here. */
  readonly repoRoot: string;
  readonly cgroups: 1 | 2;
  readonly place: string;
  /** Paths that somebody other than root must get to. */
  readonly open: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly [string, ...string[]];
}

/** One word of the shell that means exactly these characters. */
export const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** Variables of the guest's own scripts. */
export const settingText = ({ repoRoot, cgroups, place, open }: GuestWork): string =>
  [
    `REPO=${quoted(repoRoot)}`,
    `CGROUPS=${cgroups}`,
    `PLACE=${place}`,
    `OPEN=${quoted([...open, repoRoot].join(' '))}`,
    '',
  ].join('\n');

/** The script that becomes the work, with no variable but those given. */
export function workText({ repoRoot, env, command }: GuestWork): string {
  const variables = Object.entries(env).map(([name, value]) => quoted(`${name}=${value}`));
  return [
    `cd ${quoted(repoRoot)} || exit 125`,
    `exec env -i ${[...variables, ...command.map(quoted)].join(' ')}`,
    '',
  ].join('\n');
}

/**
 * Makes the initial memory of a guest.
 *
 * @param dir an empty directory
 * @returns the archive's path
 * @throws Error when a program or a module cannot be read
 */
export async function makeInitialMemory(
  dir: string,
  { busybox, modules }: GuestPrograms,
  work: GuestWork,
): Promise<string> {
  const root = join(dir, 'root');
  await mkdir(join(root, 'bin'), { recursive: true });
  await Promise.all([
    copyFile(busybox, join(root, 'bin/busybox')),
    copyFile(join(INSIDE, 'first.sh'), join(root, 'init')),
    copyFile(join(INSIDE, 'second.sh'), join(root, 'second.sh')),
    writeFile(join(root, 'setting'), settingText(work)),
    writeFile(join(root, 'work'), workText(work)),
    cp(modules, join(root, 'modules'), { recursive: true }),
  ]);
  await chmod(join(root, 'init'), 0o755);
  const archive = join(dir, 'initial-memory');
  const names = await readdir(root, { recursive: true });
  const input = names.map((name) => `${name}\n`).join('');
  const packed = await runCommand(busybox, ['cpio', '-o', '-H', 'newc', '-F', archive], { cwd: root, input });
  if (packed.code !== 0) throw new Error(`the guest's initial memory cannot be made: ${lastLine(packed.stderr)}`);
  return archive;
}
