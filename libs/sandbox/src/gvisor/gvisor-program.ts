import { askProgram } from '../ask-program.ts';
import { findProgram } from '../find-program.ts';

export type GvisorProgram = { readonly path: string; readonly version: string };

export type GvisorFinding =
  | { readonly found: true; readonly program: GvisorProgram }
  | { readonly found: false; readonly why: string; readonly remedy: string };

const REMEDY =
  'install gVisor of 2024 or newer (package `runsc` of Debian 13, or gvisor.dev), or name it: DELTA_RUNSC=/path/to/runsc';

/** Without one of these the sandbox cannot be built as described; all who have them know the calls that today's programs make. */
const NEEDED_OPTIONS = ['-directfs', '-host-uds', '-ignore-cgroups', '-oci-seccomp', '-overlay2'];

/** Looks for gVisor's `runsc` (`name` is a path, or a name sought in `directories`) and finds out what it can do. */
export async function findGvisor(name: string, directories: readonly string[]): Promise<GvisorFinding> {
  const path = findProgram(name, directories);
  if (path === null) return { found: false, why: `runsc was not found as ${name}`, remedy: REMEDY };
  try {
    const [version = ''] = (await askProgram(path, '--version')).split('\n');
    const help = await askProgram(path, 'flags');
    const lacking = NEEDED_OPTIONS.filter((option) => !help.includes(`  ${option}`));
    return lacking.length === 0
      ? { found: true, program: { path, version: version.trim() } }
      : { found: false, why: `${version.trim()} at ${path} is too old: it lacks ${lacking.join(' ')}`, remedy: REMEDY };
  } catch (reason) {
    return { found: false, why: `${path} does not run: ${String(reason)}`, remedy: REMEDY };
  }
}
