// @ts-check
import { cachedProgram, findCachedProgram } from './cached-program.mjs';
import { unpackDebianPackage } from './debian-package.mjs';
import { findProgram } from './find-program.mjs';
import { lastLine, runCommand } from './run-command.mjs';
import { versionIn } from './versions.mjs';

/** @typedef {{ path: string, version: string, from: string }} BubblewrapProgram */
/** @typedef {{ path: null, reason: string }} NoBubblewrap */

/**
 * A bubblewrap that really makes a sandbox on this machine: `DELTA_BWRAP`, on PATH, cached, or on Debian and Ubuntu
 * unpacked from the distribution's package. Its absence is an answer, not an error: whether jobs may run without is
 * decided elsewhere.
 *
 * @param {{ cacheDir: string, say: (text: string) => void, env?: NodeJS.ProcessEnv }} where
 * @returns {Promise<BubblewrapProgram | NoBubblewrap>}
 */
export async function ensureBubblewrap({ cacheDir, say, env = process.env }) {
  if (process.platform !== 'linux') return { path: null, reason: 'bubblewrap exists for Linux only' };
  const installed = await findInstalled(env);
  if (installed !== null) return proven(installed);
  const fetched = await cachedProgram({ cacheDir, name: 'bubblewrap', sources: SOURCES, say });
  if (fetched.path !== null) return proven(fetched);
  return { path: null, reason: `bubblewrap is not installed and cannot be fetched (${fetched.reasons.join('; ')})` };
}

/**
 * The same without fetching anything.
 *
 * @param {{ cacheDir: string, env?: NodeJS.ProcessEnv }} where
 * @returns {Promise<BubblewrapProgram | NoBubblewrap>}
 */
export async function findBubblewrap({ cacheDir, env = process.env }) {
  const found =
    (await findInstalled(env)) ?? (await findCachedProgram({ cacheDir, name: 'bubblewrap', sources: SOURCES }));
  return found === null ? { path: null, reason: 'bubblewrap is not installed' } : proven(found);
}

/** @type {readonly import('./cached-program.mjs').Source[]} */
const SOURCES = [
  { name: 'Debian package', file: 'usr/bin/bwrap', unpack: (into) => unpackDebianPackage('bubblewrap', into) },
];

/** @param {NodeJS.ProcessEnv} env @returns {Promise<{ path: string, from: string } | null>} */
async function findInstalled(env) {
  const named = env['DELTA_BWRAP'];
  if (named !== undefined && named !== '') return { path: named, from: 'environment' };
  const path = await findProgram('bwrap', { path: env['PATH'] });
  return path === null ? null : { path, from: 'PATH' };
}

/**
 * Many hosts have the program but forbid what it needs (user namespaces), so it is tried with everything unshared.
 *
 * @param {{ path: string, from: string }} found
 * @returns {Promise<BubblewrapProgram | NoBubblewrap>}
 */
async function proven({ path, from }) {
  const version = await runCommand(path, ['--version'], { timeout_ms: 10_000 });
  if (version.code !== 0) return { path: null, reason: `${path} does not start (${lastLine(version.stderr)})` };
  const flags = [
    '--unshare-all',
    '--die-with-parent',
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '/bin/sh',
    '-c',
    ':',
  ];
  const trial = await runCommand(path, flags, { timeout_ms: 10_000 });
  if (trial.code !== 0)
    return { path: null, reason: `this host forbids bubblewrap's namespaces (${lastLine(trial.stderr)})` };
  return { path, version: versionIn(version.stdout) ?? 'unknown', from };
}
