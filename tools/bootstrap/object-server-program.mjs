// @ts-check
import { dirname, join } from 'node:path';
import { cachedProgram } from './cached-program.mjs';
import { librariesIn, TRIPLET, unpackDebianPackages } from './debian-package.mjs';
import { lastLine, runCommand } from './run-command.mjs';
import { versionIn } from './versions.mjs';

/** @typedef {{ root: string, version: string, from: string }} ObjectServerPrograms `root`: where the packages are unpacked */

/**
 * The programs of an S3 server for tests: Ceph's object gateway, with the store and the monitor it needs, from the packages of
 * this machine's Debian or Ubuntu (57 MB). Its absence is an answer, not an error.
 *
 * @param {{ cacheDir: string, say: (text: string) => void }} where
 * @returns {Promise<ObjectServerPrograms | { root: null, reason: string }>}
 */
export async function ensureObjectServer({ cacheDir, say }) {
  if (process.platform !== 'linux') return { root: null, reason: 'its packages exist for Linux only' };
  const fetched = await cachedProgram({ cacheDir, name: 'ceph', sources: SOURCES, say });
  if (fetched.path === null) return { root: null, reason: `it cannot be fetched (${fetched.reasons.join('; ')})` };
  const root = dirname(dirname(dirname(fetched.path)));
  const { code, stdout, stderr } = await runCommand(fetched.path, ['--version'], { env: librariesOf(root) });
  if (code !== 0) return { root: null, reason: `${fetched.path} does not start (${lastLine(stderr)})` };
  return { root, version: versionIn(stdout) ?? 'unknown', from: fetched.from };
}

/**
 * The environment in which programs find the libraries unpacked beside them.
 *
 * @param {string} root
 * @returns {NodeJS.ProcessEnv}
 */
export function librariesOf(root) {
  const dirs = [...librariesIn(root), join(root, 'usr/lib', TRIPLET, 'ceph')];
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LD_LIBRARY_PATH: dirs.join(':') };
}

/** @type {readonly import('./cached-program.mjs').Source[]} */
const SOURCES = [
  {
    name: 'Debian package',
    file: 'usr/bin/radosgw',
    unpack: (into) => unpackDebianPackages(['radosgw', 'ceph-osd', 'ceph-mon'], into, { dependencies: true }),
  },
];
