// @ts-check
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './find-program.mjs';
import { lastLine, runCommand } from './run-command.mjs';

/** Fetching the package lists of a whole distribution over a slow line. */
const LISTS_LIMIT_MS = 5 * 60_000;

/** Unpacking the largest package there is, a kernel with all of its modules, on a busy machine. */
const UNPACK_LIMIT_MS = 10 * 60_000;

/** Into the private cache, without the lock of the machine's own packages, which nothing here changes. */
const DOWNLOAD_WITH_DEPENDENCIES = [
  '-o',
  'Debug::NoLocking=1',
  '--yes',
  '--no-install-recommends',
  '--download-only',
  'install',
];

/** How Debian names this machine's architecture in folders of libraries. */
export const TRIPLET = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;

/**
 * Where the libraries of packages are that were unpacked into a directory.
 *
 * @param {string} root
 */
export function librariesIn(root) {
  return [join(root, 'usr/lib', TRIPLET), join(root, 'lib', TRIPLET)];
}

/** @typedef {{ unpacked: true } | { unpacked: false, reason: string }} UnpackResult */

/**
 * Unpacks a package of this machine's Debian or Ubuntu into a directory: nothing is installed and no root is needed.
 * apt checks the signatures and digests. Where the machine has no package lists, private ones are fetched and dropped
 * again.
 *
 * @param {string} name of the package
 * @param {string} into a directory; apt's private state is kept beside it while this runs
 * @returns {Promise<UnpackResult>}
 */
export function unpackDebianPackage(name, into) {
  return unpackDebianPackages([name], into);
}

/**
 * The same of several packages, into one directory, fetched at once.
 *
 * @param {readonly string[]} names at least one
 * @param {string} into
 * @param {{ dependencies?: boolean, release?: string }} [options] `dependencies`: with all that they depend on and this machine
 *   lacks. `release`: of that release of Debian, for programs that bring all they need; left out, of this machine's own
 * @returns {Promise<UnpackResult>}
 */
export async function unpackDebianPackages(names, into, { dependencies = false, release } = {}) {
  const programs = await Promise.all(['apt-get', 'apt-config', 'dpkg-deb'].map((program) => findProgram(program)));
  if (programs.includes(null)) return { unpacked: false, reason: 'this is no Debian or Ubuntu' };
  const aptDir = `${into}.apt`;
  try {
    const fetched = await fetchPackages(names, aptDir, { dependencies, release });
    if (fetched.files === null) return { unpacked: false, reason: fetched.reason };
    for (const file of fetched.files) {
      const result = await runCommand('dpkg-deb', ['--extract', file, into], { timeout_ms: UNPACK_LIMIT_MS });
      if (result.code !== 0) return { unpacked: false, reason: lastLine(result.stderr) };
    }
    return { unpacked: true };
  } finally {
    await rm(aptDir, { recursive: true, force: true });
  }
}

/**
 * @param {readonly string[]} names
 * @param {string} aptDir
 * @param {{ dependencies: boolean, release: string | undefined }} which
 * @returns {Promise<{ files: string[] } | { files: null, reason: string }>}
 */
async function fetchPackages(names, aptDir, { dependencies, release }) {
  const downloadDir = join(aptDir, 'cache/archives');
  for (const dir of ['state/lists/partial', 'cache/archives/partial']) {
    await mkdir(join(aptDir, dir), { recursive: true });
  }
  const command = dependencies ? DOWNLOAD_WITH_DEPENDENCIES : ['download'];
  const env = { ...process.env, LC_ALL: 'C', APT_CONFIG: await writePrivateConfig(aptDir, release) };
  const download = (/** @type {string[]} */ options) =>
    runCommand('apt-get', [...options, ...command, ...names], { cwd: downloadDir, env });
  let result = await download(['-o', 'Dir::State::lists=/var/lib/apt/lists/']);
  if (result.code !== 0) {
    const update = await runCommand('apt-get', ['update'], { cwd: downloadDir, env, timeout_ms: LISTS_LIMIT_MS });
    result = await download([]);
    // Without lists apt knows no package; that it could not fetch them is only a warning, and the reason.
    result.stderr = update.stderr + result.stderr;
  }
  const files = (await readdir(downloadDir)).filter((entry) => entry.endsWith('.deb'));
  if (result.code !== 0 || files.length === 0) return { files: null, reason: `apt-get: ${aptReason(result.stderr)}` };
  return { files: files.map((file) => join(downloadDir, file)) };
}

/**
 * The machine's own apt settings (sources, keys, proxies), with the state of this run in a private directory; of another release,
 * the machine's own mirror, and Debian's keys.
 *
 * @param {string} aptDir
 * @param {string | undefined} release
 */
async function writePrivateConfig(aptDir, release) {
  const env = { ...process.env, LC_ALL: 'C' };
  const { stdout } = await runCommand('apt-config', ['dump'], { env });
  const file = join(aptDir, 'apt.conf');
  const sources = release === undefined ? '' : `Dir::Etc::sourcelist "${aptDir}/sources.list";\n${NO_OTHER_SOURCES}`;
  await writeFile(file, privateAptConfig(stdout, aptDir) + sources);
  if (release !== undefined) {
    const asked = await runCommand('apt-get', ['indextargets', '--format', '$(ORIGIN) $(REPO_URI)'], { env });
    await writeFile(
      join(aptDir, 'sources.list'),
      `deb [signed-by=${DEBIAN_KEYS}] ${mirrorIn(asked.stdout)} ${release} main\n`,
    );
  }
  return file;
}

const NO_OTHER_SOURCES = 'Dir::Etc::sourceparts "/dev/null";\n';
const DEBIAN_KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';
const PUBLIC_MIRROR = 'http://deb.debian.org/debian/';

/**
 * The mirror of Debian's main archive that this machine uses.
 *
 * @param {string} indexTargets of each target the origin and the address, a line each
 */
export function mirrorIn(indexTargets) {
  return /^Debian (https?:\S+\/debian\/?)$/m.exec(indexTargets)?.[1] ?? PUBLIC_MIRROR;
}

/**
 * Turns the dump of apt's settings into a configuration that stands alone. Hooks are dropped: those of container
 * images delete the machine's package cache, others talk to desktop services. Nothing is written outside the private
 * directory.
 *
 * @param {string} dump of `apt-config dump`
 * @param {string} aptDir
 */
export function privateAptConfig(dump, aptDir) {
  const dropped = [
    /^(APT::Update|DPkg)::/i,
    /^Dir::(State|Cache|Log|Etc::main|Etc::parts)/i,
    /^APT::Sandbox/i,
    /^Acquire::IndexTargets::deb::(DEP|Contents)/i, // lists for desktop catalogues
  ];
  const kept = dump.split('\n').filter((line) => line !== '' && !dropped.some((pattern) => pattern.test(line)));
  return [
    ...kept,
    'Dir::Etc::main "/dev/null";',
    'Dir::Etc::parts "/dev/null";',
    `Dir::State "${aptDir}/state";`,
    'Dir::State::status "/var/lib/dpkg/status";',
    `Dir::Cache "${aptDir}/cache";`,
    `Dir::Log "${aptDir}";`,
    'APT::Sandbox::User "";', // its own download account cannot write here
    'Acquire::Languages "none";', // descriptions in other languages are most of the lists, and nobody reads them here
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "20";',
    'Acquire::https::Timeout "20";',
    '',
  ].join('\n');
}

/**
 * The reason among what apt says: what it could not fetch, else its first error; the others are consequences.
 *
 * @param {string} stderr
 */
export function aptReason(stderr) {
  const lines = stderr.split('\n');
  const reason =
    lines.find((line) => /^[WE]: Failed to fetch /.test(line)) ?? lines.find((line) => line.startsWith('E: '));
  return reason === undefined ? lastLine(stderr) : reason.slice(3).trim();
}
