import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FakeForge } from '../../test/support/fake-forge/fake-forge.ts';
import { writeForgeSettings } from '../../test/support/fake-forge/forge-settings.ts';
import type { Mesh, MeshOptions } from '../mesh/mesh.ts';
import { toolchainDirs } from '../mesh/toolchain-dirs.ts';
import { USAGE, parseStartArguments, type StartArguments } from './arguments.ts';
import { Api } from './demo/api.ts';
import { demoDirectory, runDemo } from './demo/run-demo.ts';
import { DEMO_REPOSITORY } from './demo/shop-repository.ts';
import { Screen } from './screen.ts';
import { announceRunningMesh, findRunningMesh } from './single-instance.ts';
import { showUsage } from '../bootstrap/index.mjs';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Something the person has to change; told in one line. */
class StartProblem extends Error {}

const parsed = parseStartArguments(process.argv.slice(2));
if (parsed.kind === 'usage') {
  process.exit(showUsage(USAGE, parsed.problem));
}
try {
  process.exitCode = await start(parsed.start);
} catch (error) {
  process.stderr.write(
    `delta: ${error instanceof StartProblem ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exitCode = 1;
}

/** @returns the exit code */
async function start(args: StartArguments): Promise<number> {
  const screen = new Screen(args);
  const stateDir = resolve(ROOT, args.stateDir ?? '.delta');
  const running = findRunningMesh(stateDir);
  if (running !== null) {
    throw new StartProblem(
      `Delta CI runs already from ${stateDir} (process ${running.pid}, ${running.gatewayUrl}). Look at it with "npx delta runs list", or stop it with Ctrl-C there.`,
    );
  }
  const stopping = stopOnSignals(screen);
  screen.title('Delta CI');
  await build(screen);
  mkdirSync(stateDir, { recursive: true });
  const secrets = { webhook: randomBytes(24).toString('hex'), token: randomBytes(24).toString('hex') };
  const forge = await startForge(stateDir, secrets.token);
  try {
    const mesh = await bringUp(args, stateDir, settingsFor(stateDir, forge, secrets), screen);
    const withdraw = announceRunningMesh(stateDir, mesh.gatewayUrl);
    try {
      return await demonstrate(args, mesh, forge, secrets.webhook, screen, stopping);
    } finally {
      withdraw();
      screen.event('stopping');
      await mesh.stop();
    }
  } finally {
    await forge.close();
  }
}

async function demonstrate(
  args: StartArguments,
  mesh: Mesh,
  forge: FakeForge,
  webhookSecret: string,
  screen: Screen,
  stopping: Promise<void>,
): Promise<number> {
  let code = 0;
  if (args.demo) {
    const api = new Api(mesh.gatewayUrl, mesh.adminToken);
    const demo = runDemo({ forge, api, gatewayUrl: mesh.gatewayUrl, webhookSecret, screen });
    const result = await Promise.race([demo, stopping.then(() => null)]);
    if (result === null) return 130;
    for (const problem of result.problems) screen.event(screen.style('red', `did not happen: ${problem}`));
    code = result.problems.length === 0 ? 0 : 1;
    if (code === 0) screen.event(screen.style('green', 'all of it really happened'));
    // Without a mesh there is nothing to ask.
    if (!args.exit) showNextCommands(mesh, result.runs.at(-1)?.runId ?? '', screen);
  }
  if (!args.exit) {
    screen.line('\nUp until Ctrl-C.');
    await stopping;
  }
  return code;
}

/** Resolves at the first signal; a second one ends us at once. */
function stopOnSignals(screen: Screen): Promise<void> {
  const { promise, resolve: stop } = Promise.withResolvers<void>();
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      signals += 1;
      if (signals > 1) process.exit(130);
      screen.line('');
      stop();
    });
  }
  return promise;
}

async function build(screen: Screen): Promise<void> {
  screen.event('building, for some seconds the first time');
  try {
    await promisify(execFile)(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-b'], {
      cwd: ROOT,
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    throw new StartProblem(`the sources do not compile:\n${output.slice(0, 4_000)}`);
  }
  screen.event('built');
}

async function startForge(stateDir: string, token: string): Promise<FakeForge> {
  const directory = join(demoDirectory(stateDir), 'forge');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return FakeForge.start({ directory, token });
}

/** One GitHub with one repository. Secrets are in files of their own, readable by us alone. */
function settingsFor(stateDir: string, forge: FakeForge, secrets: { webhook: string; token: string }): string {
  const repositories = [
    { id: `github/${DEMO_REPOSITORY}`, cloneUrl: forge.cloneUrl(DEMO_REPOSITORY), defaultBranch: 'main' },
  ];
  return writeForgeSettings(demoDirectory(stateDir), { apiUrl: forge.apiUrl, secrets, repositories });
}

async function bringUp(args: StartArguments, stateDir: string, forgesFile: string, screen: Screen): Promise<Mesh> {
  const options: MeshOptions = {
    root: ROOT,
    directory: stateDir,
    ...servers(),
    gatewayPort: args.port,
    forgesFile,
    ...isolation(args),
    toolchainDirs: toolchainDirs(process.env['PATH'] ?? ''),
    ephemeral: false,
    onState: (service, state) => {
      if (state === 'ready') screen.event(`${service} is ready`);
      if (state === 'waiting') screen.event(screen.style('yellow', `${service} ended by itself and is started again`));
    },
  };
  // Only now: the mesh imports rooms as they are built, and in a fresh clone nothing is built before `build`.
  const { startMesh } = await import('../mesh/mesh.ts');
  const mesh = await startMesh(options);
  screen.event(`up at ${screen.style('cyan', mesh.gatewayUrl)}, logs in ${join(stateDir, 'logs')}`);
  return mesh;
}

function servers(): Pick<MeshOptions, 'postgres' | 'nats'> {
  const { DATABASE_URL: url, DELTA_POSTGRES_BIN: binDir, NATS_URL: natsUrl, DELTA_NATS_SERVER: path } = process.env;
  if (!url && !binDir) throw new StartProblem('no Postgres: start me with "npm start", or set DATABASE_URL');
  if (!natsUrl && !path) throw new StartProblem('no nats-server: start me with "npm start", or set NATS_URL');
  return {
    postgres: url ? { url } : { binDir: binDir ?? '' },
    nats: natsUrl ? { url: natsUrl } : { path: path ?? '' },
  };
}

type Isolation = Pick<MeshOptions, 'bubblewrapPath' | 'containerEngine' | 'containerImage' | 'isolation'>;

/** Bubblewrap where it works, else the container engine that answers; without any isolation only when told so by name. */
function isolation({ unsandboxed }: StartArguments): Isolation {
  const bubblewrapPath = process.env['DELTA_BWRAP'] || null;
  const containerEngine = process.env['DELTA_CONTAINER_ENGINE'] || null;
  if (unsandboxed) return { bubblewrapPath, isolation: 'process' };
  if (bubblewrapPath !== null) return { bubblewrapPath, isolation: 'sandbox' };
  if (containerEngine !== null) {
    const containerImage = process.env['DELTA_CONTAINER_IMAGE'] || null;
    return { bubblewrapPath, containerEngine, containerImage, isolation: 'container' };
  }
  throw new StartProblem(
    'no sandbox: install bubblewrap, start Docker, or run jobs without isolation with "npm start -- --unsandboxed"',
  );
}

function showNextCommands({ directory, gatewayUrl }: Mesh, runId: string, screen: Screen): void {
  const token = join(directory, 'gateway', 'admin-token');
  screen.title('What to try next');
  // In its usual place delta finds the mesh by itself.
  if (directory !== join(ROOT, '.delta'))
    screen.line(`  export DELTA_GATEWAY_URL=${gatewayUrl} DELTA_TOKEN_FILE=${token}`);
  screen.line(`  npx delta runs list
  npx delta runs view ${runId}
  npx delta why packages/cart --run ${runId}
  npx delta logs ${runId} test-packages-cart
  npx delta recipes list
  curl -H "Authorization: Bearer $(cat ${token})" \\
    ${gatewayUrl}/api/v1/runs

Without any server, on a repository of your own:
  npx delta run --repo ../your-repository
  npx delta --help`);
}
