import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { variable, type Surroundings } from '../surroundings.ts';
import { programDirs, runnable } from './bubblewrap-path.ts';

/** In every sandbox already. */
const SYSTEM_DIRS: ReadonlySet<string> = new Set(['/usr', '/usr/local', '/']);
/** Programs whose toolchain people install outside the system's directories. */
const PROGRAMS = ['node', 'go', 'pnpm'];

/**
 * Prefixes with toolchains that jobs may see besides the system, each with `bin`: what `DELTA_TOOLCHAIN_DIRS` names, or
 * else where the `node` and `go` of this PATH are installed. Nobody's home directory is handed out for that.
 */
export async function toolchainDirs(surroundings: Surroundings): Promise<string[]> {
  const named = variable(surroundings, 'DELTA_TOOLCHAIN_DIRS');
  if (named !== null)
    return named
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each.startsWith('/'));
  const home = variable(surroundings, 'HOME');
  const found = new Set<string>();
  for (const program of PROGRAMS) {
    const prefix = await prefixOf(program, surroundings);
    const personal = home !== null && (prefix === home || prefix === join(home, '.local'));
    if (prefix !== null && !personal && !SYSTEM_DIRS.has(prefix)) found.add(prefix);
  }
  return [...found];
}

async function prefixOf(program: string, surroundings: Surroundings): Promise<string | null> {
  for (const directory of programDirs(surroundings)) {
    const path = join(directory, program);
    if (!(await runnable(path))) continue;
    const bin = dirname(await realpath(path));
    return basename(bin) === 'bin' ? dirname(bin) : null;
  }
  return null;
}
