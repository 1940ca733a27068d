// @ts-check
import { dirname, join } from 'node:path';
import { cachedProgram } from '../bootstrap/cached-program.mjs';
import { unpackDebianPackage } from '../bootstrap/debian-package.mjs';
import { findProgram } from '../bootstrap/find-program.mjs';
import { runCommand } from '../bootstrap/run-command.mjs';

/**
 * A Go toolchain: the program, and the folder with all it needs.
 *
 * @typedef {{ program: string, folder: string } | { program: null, reason: string }} GoToolchain
 */

/**
 * The `go` on PATH, or on Debian and Ubuntu the distribution's, unpacked into the cache without root.
 *
 * @param {{ cacheDir: string, say: (text: string) => void, env?: NodeJS.ProcessEnv }} where
 * @returns {Promise<GoToolchain>}
 */
export async function ensureGo({ cacheDir, say, env = process.env }) {
  const installed = await findProgram('go', { path: env['PATH'] });
  if (installed !== null) {
    const { code, stdout } = await runCommand(installed, ['env', 'GOROOT']);
    if (code === 0) return { program: join(stdout.trim(), 'bin', 'go'), folder: stdout.trim() };
  }
  const version = await packagedVersion();
  if (version === null) return { program: null, reason: 'go is not on PATH, and apt knows no package golang-go' };
  const file = `usr/lib/go-${version}/bin/go`;
  const unpack = (/** @type {string} */ into) => unpackBoth(version, into);
  const sources = [{ name: 'Debian package', file, unpack }];
  const fetched = await cachedProgram({ cacheDir, name: `go-${version}`, sources, say });
  if (fetched.path === null) return { program: null, reason: fetched.reasons.join('; ') };
  return { program: fetched.path, folder: fetched.path.slice(0, -file.length - 1) };
}

/** The version that the package without a version stands for. */
async function packagedVersion() {
  const { code, stdout } = await runCommand('apt-cache', ['depends', 'golang-go']);
  return code === 0 ? (/Depends: golang-(\d+\.\d+)-go/.exec(stdout)?.[1] ?? null) : null;
}

/** The toolchain's package links to the sources of the standard library, which are another. @param {string} version @param {string} into */
async function unpackBoth(version, into) {
  for (const name of [`golang-${version}-src`, `golang-${version}-go`]) {
    const result = await unpackDebianPackage(name, into);
    if (!result.unpacked) return result;
  }
  return /** @type {const} */ ({ unpacked: true });
}

/**
 * Where the toolchain of the `cargo` on PATH lies: through rustup that is not where the name is found.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{ program: string, folder: string } | { program: null, reason: string }>}
 */
export async function findCargo(env = process.env) {
  const rustc = await findProgram('rustc', { path: env['PATH'] });
  const { code, stdout } = rustc === null ? { code: 127, stdout: '' } : await runCommand(rustc, ['--print', 'sysroot']);
  const folder = stdout.trim();
  const program = code === 0 ? await findProgram('cargo', { path: join(folder, 'bin') }) : null;
  if (program === null) return { program: null, reason: 'no rustc with a cargo beside it is on PATH' };
  return { program, folder: dirname(dirname(program)) };
}
