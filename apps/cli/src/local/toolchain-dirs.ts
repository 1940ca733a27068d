import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { variable, type Surroundings } from '../surroundings.ts';
import { programDirs, runnable } from './bubblewrap-path.ts';

/** In every sandbox already. */
const SYSTEM_DIRS: ReadonlySet<string> = new Set(['/usr', '/usr/local', '/']);
/** Programs whose toolchain people install outside the system's directories. */
const PROGRAMS = ['node', 'go', 'pnpm'];

/**
 * Prefixes with toolchains that jobs may see besides the system, each with `bin`: what `DELTA_TOOLCHAIN_DIRS` names, or
 * else where the `node`, `go`, `pnpm` and `cargo` of this PATH are installed. Nobody's home directory is handed out for that.
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
  const rust = await rustPrefix(surroundings);
  if (rust !== null && !SYSTEM_DIRS.has(rust)) found.add(rust);
  return [...found];
}

/** Of rustup there are only stand-ins on PATH: where the toolchain itself lies, which holds nobody's tokens, the compiler says. */
async function rustPrefix(surroundings: Surroundings): Promise<string | null> {
  for (const directory of programDirs(surroundings)) {
    const rustc = join(directory, 'rustc');
    if (!(await runnable(rustc))) continue;
    // From the root, so that no file of a repository chooses a toolchain, which might have to be fetched first.
    const options = { cwd: '/', env: { ...surroundings.environment }, timeout: RUSTC_MS };
    const said = await exec(rustc, ['--print', 'sysroot'], options).catch(() => null);
    const prefix = said?.stdout.trim() ?? '';
    return prefix.startsWith('/') && (await runnable(join(prefix, 'bin', 'cargo'))) ? prefix : null;
  }
  return null;
}

const exec = promisify(execFile);

/** It answers in milliseconds, unless it has to fetch what it stands for. */
const RUSTC_MS = 5_000;

async function prefixOf(program: string, surroundings: Surroundings): Promise<string | null> {
  for (const directory of programDirs(surroundings)) {
    const path = join(directory, program);
    if (!(await runnable(path))) continue;
    const bin = dirname(await realpath(path));
    return basename(bin) === 'bin' ? dirname(bin) : null;
  }
  return null;
}
