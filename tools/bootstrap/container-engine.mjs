// @ts-check
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureContainerEngine } from './container-engine-program.mjs';
import { answeringSocket, engineAnswersAt } from './docker-engine.mjs';
import { findProgram, isDirectory } from './find-program.mjs';
import { runOnDeath } from './leash.mjs';
import { lastLine, runCommand } from './run-command.mjs';
import { startServerProcess } from './server-process.mjs';
import { SetupProblem } from './setup-problem.mjs';

/** @typedef {import('./container-engine-program.mjs').EnginePrograms} EnginePrograms */

/**
 * @typedef {object} OpenEngine
 * @property {string} socket the engine's unix socket
 * @property {string | null} client a `docker` that can talk to it
 * @property {boolean} ours whether it was started for whoever asked
 * @property {() => Promise<void>} stop ends one of ours with all of its containers; another goes on
 */

/**
 * An engine for tests and measurements of containers: the one that answers on this host, or else one of our own. Nobody else finds
 * that one: its socket is in a private directory, and no variable names it.
 *
 * @param {object} place
 * @param {string} place.cacheDir
 * @param {string} place.dir for one of ours: made, and deleted at the end
 * @param {(text: string) => void} place.say
 * @param {NodeJS.ProcessEnv} [place.env]
 * @returns {Promise<OpenEngine | { socket: null, reason: string }>}
 */
export async function openContainerEngine({ cacheDir, dir, say, env = process.env }) {
  const answering = await answeringSocket(env);
  if (answering !== null) {
    const client = await findProgram('docker', { path: env['PATH'] });
    return { socket: answering, client, ours: false, stop: () => Promise.resolve() };
  }
  const found = await ensureContainerEngine({ cacheDir, say, env });
  if (found.programs === null) return { socket: null, reason: `no container engine answers, and ${found.reason}` };
  try {
    return { ...(await startContainerEngine({ programs: found.programs, dir })), ours: true };
  } catch (error) {
    if (!(error instanceof SetupProblem)) throw error;
    return { socket: null, reason: `no container engine answers, and ${error.missing}` };
  }
}

/**
 * Becomes the engine: in a control group by which all of its processes are found, and with mounts of its own, which end with the last
 * of these. What it keeps is in memory: no disk is waited for, and files can be layered there even where the disk's are layered
 * already. Engines also write to places that cannot be chosen, so there is a layer over those.
 */
const BECOME_ENGINE = `
set -e
umask 022
dir=$1 group=$2
shift 2
tree=/sys/fs/cgroup
[ -e "$tree/cgroup.controllers" ] || tree=$tree/pids
mkdir -p "$tree/$group/engine"
echo $$ >"$tree/$group/engine/cgroup.procs"
mount -t tmpfs -o size=1g tmpfs "$dir/memory"
for place in /etc /opt /run; do
  over=$dir/memory$place
  mkdir -p "$over/upper" "$over/work"
  mount -t overlay -o "lowerdir=$place,upperdir=$over/upper,workdir=$over/work" overlay "$place"
done
exec "$@"
`;

/**
 * Kills the engine, what it started and what runs in its containers, and removes its control groups and its directory. Again
 * until nothing is there: a process may start another while it is looked for.
 */
const END_ENGINE = `
dir=$1 group=$2 waited=0
while [ "$waited" -lt 200 ]; do
  left=
  for place in /sys/fs/cgroup/"$group" /sys/fs/cgroup/*/"$group"; do
    [ -d "$place" ] || continue
    find "$place" -name cgroup.procs -exec cat {} + 2>/dev/null | while read -r pid; do
      [ "$pid" -gt 0 ] && kill -s KILL "$pid" 2>/dev/null
    done
    find "$place" -depth -type d -exec rmdir {} + 2>/dev/null
    [ -d "$place" ] && left="$place"
  done
  [ -z "$left" ] && rm -rf -- "$dir" && exit 0
  sleep 0.05
  waited=$((waited + 1))
done
echo "still there: \${left:-$dir}" >&2
exit 1
`;

/** Longer than `END_ENGINE` goes on trying. */
const END_LIMIT_MS = 60_000;

/**
 * Starts a Docker engine that ends with our process, however that ends, with all of its containers; ready in about two seconds. It
 * listens on a unix socket that only root gets to, gives containers no network but none or the host's, and changes nothing of the host's.
 *
 * @param {{ programs: EnginePrograms, dir: string }} options `dir`: for all it keeps; made, and deleted at the end
 * @returns {Promise<Omit<OpenEngine, 'ours' | 'client'> & { client: string }>}
 * @throws {SetupProblem} when it does not start here, or cannot run a container
 */
export async function startContainerEngine({ programs, dir }) {
  await mkdir(dir, { mode: 0o700 });
  const group = `delta-engine-${randomUUID()}`;
  const watch = runOnDeath(END_ENGINE, dir, group);
  const stop = async () => {
    const words = ['-c', END_ENGINE, 'delta-engine', dir, group];
    const { code, stderr } = await runCommand('/bin/sh', words, { timeout_ms: END_LIMIT_MS });
    if (code !== 0) throw new SetupProblem(`a container engine did not end (${lastLine(stderr)})`, 'look at it');
    watch.release();
  };
  try {
    await mkdir(join(dir, 'memory'));
    const socket = join(dir, 'docker.sock');
    await startServerProcess(await enginePlan({ programs, dir, group, socket }));
    await tryOut(programs, dir, socket);
    return { socket, client: programs.client, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const NETWORK_LEFT_ALONE = ['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--bridge=none'];

/**
 * @param {{ programs: EnginePrograms, dir: string, group: string, socket: string }} engine
 * @returns {Promise<import('./server-process.mjs').ServerPlan>}
 */
async function enginePlan({ programs, dir, group, socket }) {
  const settings = join(dir, 'settings.json');
  await writeFile(settings, '{}');
  const memory = join(dir, 'memory');
  const named = {
    'data-root': join(memory, 'data'),
    'exec-root': join(memory, 'exec'),
    pidfile: join(memory, 'docker.pid'),
    'config-file': settings,
    host: `unix://${socket}`,
    'cgroup-parent': `/${group}`,
  };
  const options = [
    ...Object.entries(named).map(([name, value]) => `--${name}=${value}`),
    '--exec-opt=native.cgroupdriver=cgroupfs',
    ...NETWORK_LEFT_ALONE,
  ];
  const become = ['/bin/sh', '-c', BECOME_ENGINE, 'delta-engine', dir, group, programs.engine, ...options];
  return {
    name: 'a container engine of our own',
    command: 'unshare',
    // What the host mounts meanwhile, the engine has to see.
    args: ['--mount', '--propagation', 'slave', ...become],
    env: programs.env,
    logFile: join(dir, 'log'),
    isReady: () => engineAnswersAt(socket),
    // It keeps nothing, so there is nothing to end cleanly.
    stopSignals: ['SIGKILL'],
  };
}

/** An archive of no file, which makes an image of nothing. */
const EMPTY_ARCHIVE = '\0'.repeat(1_024);

/**
 * Runs this host's `true` in a container with limits: that an engine answers does not say that the kernel lets it.
 *
 * @param {EnginePrograms} programs
 * @param {string} dir
 * @param {string} socket
 */
async function tryOut({ client, env }, dir, socket) {
  const options = { env: { ...env, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: dir } };
  const imported = await runCommand(client, ['import', '-', 'delta-trial:1'], { ...options, input: EMPTY_ARCHIVE });
  const limits = ['--network=none', '--memory=64m', '--pids-limit=16', '--cpus=0.5'];
  const run = ['run', '--rm', ...limits, ...(await hostPrograms()), 'delta-trial:1', '/bin/true'];
  const ran = imported.code === 0 ? await runCommand(client, run, options) : imported;
  if (ran.code !== 0)
    throw new SetupProblem(`a container engine of our own cannot run a container (${why(ran)})`, 'look at it');
}

/** @param {import('./run-command.mjs').CommandResult} result */
function why({ stderr }) {
  return lastLine(stderr.replace(/See 'docker run --help'\.\s*$/, ''));
}

/**
 * Options of `docker run` that show a container this host's programs, for an image of nothing.
 *
 * @returns {Promise<string[]>}
 */
export async function hostPrograms() {
  const options = [];
  for (const place of ['/bin', '/usr', '/lib', '/lib64']) {
    if (await isDirectory(place)) options.push(`--mount=type=bind,source=${place},target=${place},readonly`);
  }
  return options;
}
