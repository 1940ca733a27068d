import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ToldPush } from '../../test/support/fake-forge/push-webhook.ts';
import type { Mesh, MeshOptions } from '../mesh/mesh.ts';
import { ServiceFailed } from '../mesh/service-process.ts';
import { toolchainDirs } from '../mesh/toolchain-dirs.ts';
import { PORT_MAX, USAGE, parseStartArguments, type StartArguments } from './arguments.ts';
import { Api } from './demo/api.ts';
import { DemoForge } from './demo/demo-forge.ts';
import { runDemo } from './demo/run-demo.ts';
import { requireFreePort } from './require-free-port.ts';
import { Screen } from './screen.ts';
import { announceRunningMesh, findRunningMesh } from './single-instance.ts';
import { StartProblem } from './start-problem.ts';
import { showUsage } from '../bootstrap/index.mjs';

/** Most repositories install something first. */
const NO_NETWORK = `
  Its jobs reach no network. With DELTA_EGRESS=proxy npm start they reach the hosts that their plans name.`;

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** @returns the exit code */
async function start(args: StartArguments): Promise<number> {
  const screen = new Screen(args);
  const stateDir = resolve(ROOT, args.stateDir ?? '.delta');
  const running = findRunningMesh(stateDir);
  if (running !== null) {
    throw new StartProblem(
      `Delta CI is already running from ${stateDir} (process ${running.pid}, ${running.gatewayUrl}). Look at it with "npx delta runs list", or stop it with Ctrl-C there.`,
    );
  }
  await requireFreePort(args.port);
  const stopping = stopOnSignals(screen);
  screen.title('Delta CI');
  await build(screen);
  mkdirSync(stateDir, { recursive: true });
  const demo = await DemoForge.open(join(stateDir, 'demo'), forgePort(args.port));
  try {
    const mesh = await bringUp(args, stateDir, demo.settingsFile, screen);
    const withdraw = announceRunningMesh(stateDir, mesh.gatewayUrl);
    try {
      return await demonstrate(args, mesh, demo, screen, stopping);
    } finally {
      withdraw();
      screen.event('stopping');
      await mesh.stop();
    }
  } finally {
    await demo.close();
  }
}

async function demonstrate(
  args: StartArguments,
  mesh: Mesh,
  demo: DemoForge,
  screen: Screen,
  stopping: Promise<void>,
): Promise<number> {
  let code = 0;
  let lastRun: string | null = null;
  let isOver = !args.demo;
  demo.tellPushes(mesh.gatewayUrl, (push) => {
    // The demonstration tells of its own by itself.
    if (isOver) screen.event(pushText(push));
  });
  if (args.demo) {
    const { forge, developer } = demo;
    const shown = runDemo({ forge, developer, api: new Api(mesh.gatewayUrl, mesh.adminToken), screen });
    const result = await Promise.race([shown, stopping.then(() => null)]);
    if (result === null) return 130;
    for (const problem of result.problems) screen.event(screen.style('red', `did not happen: ${problem}`));
    code = result.problems.length === 0 ? 0 : 1;
    if (code === 0) screen.event(screen.style('green', 'all of it really happened'));
    lastRun = result.runs.at(-1)?.runId ?? null;
    isOver = true;
  }
  // Without a mesh there is nothing to ask.
  if (!args.exit) {
    showNextCommands(mesh, lastRun, demo, screen);
    screen.line('\nUp until Ctrl-C.');
    await stopping;
  }
  return code;
}

function pushText({ fullName, commit, answer }: ToldPush): string {
  const what = `${fullName} ${commit.ref} at ${commit.after.slice(0, 12)}`;
  const { runId, ignored, error } = (answer?.body ?? {}) as {
    runId?: string | null;
    ignored?: string | null;
    error?: { message?: string };
  };
  if (runId) return `pushed to ${what}: npx delta runs watch ${runId}`;
  return `pushed to ${what}: no run, ${ignored ?? error?.message ?? 'the gateway did not answer'}`;
}

/** The forge listens beside the gateway; 0: at any free port. */
function forgePort(port: number): number {
  return port === 0 || port === PORT_MAX ? 0 : port + 1;
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
  screen.event('building, which takes some seconds the first time');
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

async function bringUp(args: StartArguments, stateDir: string, forgesFile: string, screen: Screen): Promise<Mesh> {
  // Only now: these import rooms as they are built, and in a fresh clone nothing is built before `build`.
  const [{ startMesh }, { SERVICE_NAMES }, { operatorSettings }] = await Promise.all([
    import('../mesh/mesh.ts'),
    import('../mesh/service-table.ts'),
    import('./operator-settings.ts'),
  ]);
  const options: MeshOptions = {
    root: ROOT,
    directory: stateDir,
    ...servers(),
    gatewayPort: args.port,
    forgesFile,
    ...isolation(args),
    toolchainDirs: toolchainDirs(process.env['PATH'] ?? ''),
    ephemeral: false,
    handedOn: await operatorSettings(ROOT, process.env, screen),
    ...(args.runners ? {} : { services: SERVICE_NAMES.filter((name) => name !== 'runner-controller') }),
    onState: (service, state) => {
      if (state === 'ready') screen.event(`${service} is ready`);
      if (state === 'waiting')
        screen.event(screen.style('yellow', `${service} ended unexpectedly and is started again`));
    },
  };
  const mesh = await startMesh(options);
  screen.event(`up at ${screen.style('cyan', mesh.gatewayUrl)}, logs in ${join(stateDir, 'logs')}`);
  return mesh;
}

function servers(): Pick<MeshOptions, 'postgres' | 'nats'> {
  const { DATABASE_URL: url, DELTA_POSTGRES_BIN: binDir, NATS_URL: natsUrl, DELTA_NATS_SERVER: path } = process.env;
  if (!url && !binDir) throw new StartProblem('no Postgres: use "npm start", or set DATABASE_URL');
  if (!natsUrl && !path) throw new StartProblem('no nats-server: use "npm start", or set NATS_URL');
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

function showNextCommands(
  { directory, gatewayUrl }: Mesh,
  runId: string | null,
  demo: DemoForge,
  screen: Screen,
): void {
  const tokenIn = (name: string): string => join(directory, 'gateway', name);
  screen.title('What to try next');
  // In its usual place delta finds the mesh by itself.
  if (directory !== join(ROOT, '.delta'))
    screen.line(`  export DELTA_GATEWAY_URL=${gatewayUrl} DELTA_TOKEN_FILE=${tokenIn('admin-token')}`);
  screen.line('  npx delta runs list');
  if (runId !== null)
    screen.line(`  npx delta runs view ${runId}
  npx delta why packages/cart --run ${runId}
  npx delta logs ${runId} test-packages-cart
  npx delta recipes list`);
  screen.line(`  curl -H "Authorization: Bearer $(cat ${tokenIn('admin-token')})" \\
    ${gatewayUrl}/api/v1/runs

A repository of your own in this mesh (each push starts a run):
  ${demo.pushCommand('../your-repository')}
  npx delta runs start --repository github/demo/yours${process.env['DELTA_EGRESS'] === 'proxy' ? '' : NO_NETWORK}

A runner of your own (docs/running.md):
  the token to register it is in ${tokenIn('registration-token')}

A repository of your own without any server:
  npx delta run --repo ../your-repository
  npx delta --help`);
}

// Last, because all that is above has to be there while it runs.
const parsed = parseStartArguments(process.argv.slice(2));
if (parsed.kind === 'usage') {
  process.exit(showUsage(USAGE, parsed.problem));
}
try {
  process.exitCode = await start(parsed.start);
} catch (error) {
  const forPeople = error instanceof StartProblem || error instanceof ServiceFailed;
  process.stderr.write(`delta: ${forPeople ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
}
