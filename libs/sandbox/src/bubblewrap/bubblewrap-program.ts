import { askProgram } from '../ask-program.ts';
import { findProgram } from '../find-program.ts';

export type BubblewrapProgram = { readonly path: string; readonly version: string; readonly disablesUserns: boolean };

export type BubblewrapFinding =
  | { readonly found: true; readonly program: BubblewrapProgram }
  | { readonly found: false; readonly why: string; readonly remedy: string };

const REMEDY = 'install bubblewrap 0.8 or newer (package `bubblewrap`), or name it: DELTA_BWRAP=/path/to/bwrap';

/** Without one of these the sandbox cannot be built as described, so an older bubblewrap is as good as none. */
const NEEDED_OPTIONS = ['--size', '--perms', '--clearenv', '--json-status-fd', '--seccomp', '--args', '--as-pid-1'];

/** Looks for bubblewrap (`name` is a path, or a name sought in `directories`) and finds out what it can do. */
export async function findBubblewrap(name: string, directories: readonly string[]): Promise<BubblewrapFinding> {
  const path = findProgram(name, directories);
  if (path === null) return { found: false, why: `bubblewrap was not found as ${name}`, remedy: REMEDY };
  try {
    const [help, version] = await Promise.all([askProgram(path, '--help'), askProgram(path, '--version')]);
    const lacking = NEEDED_OPTIONS.filter((option) => !help.includes(`    ${option} `));
    if (lacking.length > 0) {
      return { found: false, why: `${version.trim()} at ${path} lacks ${lacking.join(' ')}`, remedy: REMEDY };
    }
    return {
      found: true,
      program: { path, version: version.trim(), disablesUserns: help.includes('    --disable-userns ') },
    };
  } catch (reason) {
    return { found: false, why: `${path} does not run: ${String(reason)}`, remedy: REMEDY };
  }
}
