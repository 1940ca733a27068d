import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

/** Programs that jobs commonly need. */
const PROGRAMS = ['npm', 'node', 'go', 'pnpm'];
/** What every sandbox shows anyway. */
const SYSTEM = ['/usr', '/bin', '/lib', '/opt'];

/**
 * Where this machine's toolchains are when they are not part of the system (a version manager in somebody's home): the
 * prefix above `bin`, so that a program's own files come along.
 */
export function toolchainDirs(path: string): string[] {
  const found = new Set<string>();
  for (const program of PROGRAMS) {
    const file = path
      .split(delimiter)
      .map((directory) => join(directory, program))
      .find(isExecutable);
    if (file === undefined || file.includes('node_modules')) continue;
    const prefix = dirname(dirname(realOf(file)));
    if (!SYSTEM.some((system) => prefix === system || prefix.startsWith(`${system}/`)) && prefix !== '/')
      found.add(prefix);
  }
  return [...found];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** npm is a link into `lib/node_modules` of the prefix it belongs to; its own `bin` says which prefix that is. */
function realOf(file: string): string {
  const real = realpathSync(file);
  return real.includes('/lib/node_modules/')
    ? join(real.slice(0, real.indexOf('/lib/node_modules/')), 'bin', 'npm')
    : resolve(real);
}
