// @ts-check
import { dirname, join } from 'node:path';
import { cachedProgram } from './cached-program.mjs';
import { librariesIn, unpackDebianPackages } from './debian-package.mjs';
import { findProgram, isExecutableFile } from './find-program.mjs';
import { lastLine, runCommand } from './run-command.mjs';
import { versionIn } from './versions.mjs';

/**
 * The programs of a Docker engine: `engine` serves, `client` talks to one, `env` is what both need to find what is unpacked beside them.
 *
 * @typedef {object} EnginePrograms
 * @property {string} engine
 * @property {string} client
 * @property {NodeJS.ProcessEnv} env
 * @property {string} version
 * @property {string} from
 */

/**
 * A Docker engine's programs: those of this machine, cached, or unpacked from the packages of its Debian or Ubuntu (65 MB). Their
 * absence is an answer, not an error. Whether they work here is for whoever starts them to try.
 *
 * @param {{ cacheDir: string, say: (text: string) => void, env?: NodeJS.ProcessEnv, uid?: number | undefined }} where
 * @returns {Promise<{ programs: EnginePrograms } | { programs: null, reason: string }>}
 */
export async function ensureContainerEngine({ cacheDir, say, env = process.env, uid = process.getuid?.() }) {
  if (process.platform !== 'linux') return { programs: null, reason: 'one can be started on Linux only' };
  if (uid !== 0) return { programs: null, reason: 'only root can start one' };
  const installed = await installedPrograms(env);
  if (installed !== null) return withVersion(installed, 'this machine');
  const fetched = await cachedProgram({ cacheDir, name: 'docker', sources: SOURCES, say });
  if (fetched.path === null) return { programs: null, reason: `none can be fetched (${fetched.reasons.join('; ')})` };
  return withVersion(await unpackedPrograms(dirname(dirname(dirname(fetched.path)))), fetched.from);
}

/** @typedef {Pick<EnginePrograms, 'engine' | 'client' | 'env'>} Found */

/** @param {NodeJS.ProcessEnv} env @returns {Promise<Found | null>} */
async function installedPrograms({ PATH }) {
  const engine = await findProgram('dockerd', { path: PATH, extraDirs: ['/usr/sbin', '/sbin'] });
  const client = await findProgram('docker', { path: PATH });
  return engine === null || client === null
    ? null
    : { engine, client, env: { PATH: `${PATH}:/usr/sbin:/sbin:/usr/bin:/bin` } };
}

/** Without the folders of `modprobe`: for what is done here the kernel need not be told to load anything. @param {string} root @returns {Promise<Found>} */
async function unpackedPrograms(root) {
  const unpacked = ['usr/sbin', 'usr/bin', 'sbin', 'bin'].map((folder) => join(root, folder));
  const engine = (await findProgram('dockerd', { path: unpacked.join(':') })) ?? join(root, 'usr/sbin/dockerd');
  const env = { PATH: [...unpacked, '/usr/bin', '/bin'].join(':'), LD_LIBRARY_PATH: librariesIn(root).join(':') };
  return { engine, client: join(root, CLIENT), env };
}

/** @param {Found} found @param {string} from */
async function withVersion(found, from) {
  const { code, stdout, stderr } = await runCommand(found.engine, ['--version'], { env: found.env });
  return code === 0
    ? { programs: { ...found, from, version: versionIn(stdout) ?? 'unknown' } }
    : { programs: null, reason: `${found.engine} does not start (${lastLine(stderr)})` };
}

const CLIENT = 'usr/bin/docker';

/** @type {readonly import('./cached-program.mjs').Source[]} */
const SOURCES = [{ name: 'Debian package', file: CLIENT, unpack: unpackEngine }];

/** The engine lists processes with `ps`, and from Debian 13 on its client is a package of its own. @param {string} into */
async function unpackEngine(into) {
  const engine = await unpackDebianPackages(['docker.io', 'procps'], into, { dependencies: true });
  if (!engine.unpacked || (await isExecutableFile(join(into, CLIENT)))) return engine;
  return unpackDebianPackages(['docker-cli'], into, { dependencies: true });
}
