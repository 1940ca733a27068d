import { access, constants } from 'node:fs/promises';
import { arch, homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { variable, type Surroundings } from '../../surroundings.ts';
import { INSTALLATION, isOwnDirectory } from './own-directories.ts';

/** The bubblewrap to use: the one that is named, the one on PATH, or the one `npm start` unpacked for this user. */
export async function bubblewrapPath(surroundings: Surroundings): Promise<string> {
  const named = variable(surroundings, 'DELTA_BWRAP');
  if (named !== null) return named;
  for (const directory of programDirs(surroundings)) {
    if (await runnable(join(directory, 'bwrap'))) return join(directory, 'bwrap');
  }
  const unpacked = join(cacheHome(surroundings), `bubblewrap-debian-package-linux-${arch()}`, 'usr', 'bin', 'bwrap');
  return (await runnable(unpacked)) ? unpacked : 'bwrap';
}

/** Absolute directories of PATH, without those of Delta CI itself: see `isOwnDirectory`. */
export function programDirs(surroundings: Surroundings): string[] {
  return (variable(surroundings, 'PATH') ?? '')
    .split(delimiter)
    .filter((directory) => directory.startsWith('/') && !isOwnDirectory(directory, INSTALLATION));
}

/** Where this user's fetched programs are kept, and what `delta run` needs while it runs. */
export function cacheHome(surroundings: Surroundings): string {
  const named = variable(surroundings, 'DELTA_CACHE_HOME');
  if (named !== null) return named;
  return join(variable(surroundings, 'XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'delta-ci');
}

/** Whether it is a program of this user's reach. */
export async function runnable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
