// @ts-check
import { cachedProgram, findCachedProgram } from './cached-program.mjs';
import { unpackDebianPackage } from './debian-package.mjs';
import { findProgram } from './find-program.mjs';
import { unpackRelease } from './release-download.mjs';
import { lastLine, runCommand } from './run-command.mjs';
import { SetupProblem } from './setup-problem.mjs';
import { isAtLeast, versionIn } from './versions.mjs';

/** The oldest server the bus works on (Debian 12's). */
export const LEAST_NATS_SERVER = '2.9';

const RELEASE = '2.14.5';
const RELEASES = 'https://github.com/nats-io/nats-server/releases/download';

/** SHA-256 of the release's archives, as its publisher lists them. */
const RELEASE_SHA256 = /** @type {Readonly<Record<string, string>>} */ ({
  'linux-amd64': '5e3b603d47c447bda1f77f9ac16dbf91c90aac4ff3681f8fbbc7201e4ed99355',
  'linux-arm64': '673a98d3faa79dde3f9ebf16d6dfac36a5f694e7ad2015e4954dd7939c85cd4c',
  'darwin-amd64': 'f95c98d6b6ed2b63c5681b46b092c9585c99767d547cf495730c329234625e96',
  'darwin-arm64': 'ddd907854d9a2de834af133fa396915fe6442fe6d8909ae31390d1ea7a0fea50',
});

/** @typedef {{ path: string, version: string, from: string }} NatsServerProgram */

/**
 * The nats-server to start: `DELTA_NATS_SERVER`, the one on PATH, the cached one, the official release, or on Debian
 * and Ubuntu the distribution's package.
 *
 * @param {{ cacheDir: string, say: (text: string) => void, env?: NodeJS.ProcessEnv }} where
 * @returns {Promise<NatsServerProgram>}
 */
export async function ensureNatsServer({ cacheDir, say, env = process.env }) {
  const installed = await findInstalled(env);
  if (installed !== null) return installed;
  const fetched = await cachedProgram({ cacheDir, name: 'nats-server', sources: sources(process), say });
  if (fetched.path === null) {
    const why = fetched.reasons.length === 0 ? '' : ` (${fetched.reasons.join('; ')})`;
    throw new SetupProblem(
      `nats-server is not installed and cannot be fetched${why}`,
      'put nats-server 2.9 or newer on PATH, or set NATS_URL to a server with JetStream',
    );
  }
  const { version, reason } = await versionOf(fetched.path);
  if (version === null) throw new SetupProblem(`${fetched.path} does not start (${reason})`, 'put nats-server on PATH');
  return { path: fetched.path, version, from: fetched.from };
}

/**
 * The same without fetching anything.
 *
 * @param {{ cacheDir: string, env?: NodeJS.ProcessEnv }} where
 * @returns {Promise<NatsServerProgram | null>}
 */
export async function findNatsServer({ cacheDir, env = process.env }) {
  const installed = await findInstalled(env);
  if (installed !== null) return installed;
  const cached = await findCachedProgram({ cacheDir, name: 'nats-server', sources: sources(process) });
  if (cached === null) return null;
  const { version } = await versionOf(cached.path);
  return version === null ? null : { ...cached, version };
}

/** @param {NodeJS.ProcessEnv} env @returns {Promise<NatsServerProgram | null>} */
async function findInstalled(env) {
  const named = env['DELTA_NATS_SERVER'];
  if (named !== undefined && named !== '') {
    const { version, reason } = await versionOf(named);
    if (version !== null) return { path: named, version, from: 'environment' };
    throw new SetupProblem(`DELTA_NATS_SERVER names ${named}, which does not start (${reason})`, 'correct or unset it');
  }
  const path = await findProgram('nats-server', { path: env['PATH'], extraDirs: ['/usr/sbin', '/usr/local/sbin'] });
  const version = path === null ? null : (await versionOf(path)).version;
  if (path === null || version === null || !isAtLeast(version, LEAST_NATS_SERVER)) return null;
  return { path, version, from: 'PATH' };
}

/**
 * @param {{ platform: string, arch: string }} machine
 * @returns {import('./cached-program.mjs').Source[]}
 */
export function sources({ platform, arch }) {
  const debian = {
    name: 'Debian package',
    file: 'usr/sbin/nats-server',
    unpack: (/** @type {string} */ into) => unpackDebianPackage('nats-server', into),
  };
  const target = `${platform}-${arch === 'x64' ? 'amd64' : arch}`;
  const sha256 = RELEASE_SHA256[target];
  if (sha256 === undefined) return [debian];
  const url = `${RELEASES}/v${RELEASE}/nats-server-v${RELEASE}-${target}.tar.gz`;
  const release = {
    name: `release ${RELEASE}`,
    file: 'nats-server',
    unpack: (/** @type {string} */ into) => unpackRelease({ url, sha256, into }),
  };
  return [release, debian];
}

/** @param {string} path @returns {Promise<{ version: string | null, reason: string }>} */
async function versionOf(path) {
  const { code, stdout, stderr } = await runCommand(path, ['--version'], { timeout_ms: 10_000 });
  return { version: code === 0 ? versionIn(stdout) : null, reason: lastLine(stderr) };
}
