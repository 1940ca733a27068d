// @ts-check
import { cachedProgram } from './cached-program.mjs';
import { unpackDebianPackages } from './debian-package.mjs';
import { findProgram } from './find-program.mjs';
import { lastLine, runCommand } from './run-command.mjs';

/**
 * gVisor's `runsc` for tests: `DELTA_RUNSC`, on PATH, cached, or on Debian unpacked from the package of a release that is new
 * enough (7 MB). Its absence is an answer, not an error. Whether it works here is for whoever uses it to try.
 *
 * @param {{ cacheDir: string, say: (text: string) => void, env?: NodeJS.ProcessEnv }} where
 * @returns {Promise<{ path: string, from: string } | { path: null, reason: string }>}
 */
export async function ensureGvisor({ cacheDir, say, env = process.env }) {
  if (process.platform !== 'linux') return { path: null, reason: 'gVisor exists for Linux only' };
  const named = env['DELTA_RUNSC'];
  if (named !== undefined && named !== '') return { path: named, from: 'environment' };
  const path = await findProgram('runsc', { path: env['PATH'] });
  if (path !== null) return { path, from: 'PATH' };
  const fetched = await cachedProgram({ cacheDir, name: 'gvisor', sources: SOURCES, say });
  if (fetched.path === null) return { path: null, reason: `runsc cannot be fetched (${fetched.reasons.join('; ')})` };
  const version = await runCommand(fetched.path, ['--version'], { timeout_ms: 10_000 });
  return version.code === 0
    ? fetched
    : { path: null, reason: `${fetched.path} does not start (${lastLine(version.stderr)})` };
}

/** Debian 12 has one that does not know the system calls that its own `ls` makes. @type {readonly import('./cached-program.mjs').Source[]} */
const SOURCES = [
  {
    name: 'Debian 13 package',
    file: 'usr/bin/runsc',
    unpack: (into) => unpackDebianPackages(['runsc'], into, { release: 'trixie' }),
  },
];
