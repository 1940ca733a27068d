import { execFile } from 'node:child_process';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { Problem } from '../../problem.ts';
import { variable, type Surroundings } from '../../surroundings.ts';
import { programDirs, runnable } from './bubblewrap-path.ts';

/** In every sandbox already. */
const SYSTEM_DIRS: ReadonlySet<string> = new Set(['/usr', '/usr/local', '/']);
/** Programs whose toolchain people install outside the system's directories. */
const PROGRAMS = ['node', 'go', 'pnpm'];

/**
 * Prefixes with toolchains that jobs may see besides the system, each with `bin`, those that go before others first: what
 * `DELTA_TOOLCHAIN_DIRS` names, and where the `node`, `go`, `pnpm` and `cargo` of this PATH are installed. Nobody's home directory is
 * handed out for that.
 * @throws Problem for a name that leads to no toolchain
 */
export async function toolchainDirs(surroundings: Surroundings): Promise<string[]> {
  return [...new Set([...(await namedDirs(surroundings)), ...(await foundDirs(surroundings))])];
}

async function namedDirs(surroundings: Surroundings): Promise<string[]> {
  const named = (variable(surroundings, NAMES) ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  for (const directory of named) {
    const why = !isAbsolute(directory)
      ? 'is not absolute'
      : (await isDirectory(join(directory, 'bin')))
        ? null
        : 'has no folder bin';
    if (why === null) continue;
    throw new Problem('toolchain_dir_invalid', `${NAMES} names ${directory}, which ${why}`, {
      next: 'name the folder above the bin that has the programs, such as /opt/go; several are separated by commas',
    });
  }
  return named;
}

const NAMES = 'DELTA_TOOLCHAIN_DIRS';

const isDirectory = async (path: string): Promise<boolean> =>
  stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );

async function foundDirs(surroundings: Surroundings): Promise<string[]> {
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
    const options = {
      cwd: '/',
      env: { ...surroundings.environment },
      timeout: RUSTC_MS,
      killSignal: 'SIGKILL',
    } as const;
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
