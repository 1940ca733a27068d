import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FIRST_USER_ID, SANDBOXES_PER_WARDEN } from '../bubblewrap/user-ids.ts';
import { detectCgroups } from '../cgroup/cgroup-host.ts';
import { cgroupParents } from '../cgroup/step-cgroup.ts';
import { DEFAULT_COLLECT_CAPS } from '../collect-files.ts';
import { SANDBOX_VARIABLE } from '../leftovers.ts';
import { MINIMUM_LAYERS, type LayerMinimum } from '../layer-minimum.ts';
import type { Layer } from '../layers.ts';
import { processesWithVariable } from '../process-table.ts';
import type { Opened, Sandbox, SandboxExecutor, SandboxSpec, StepOutcome, TierProbe } from '../sandbox-executor.ts';
import { baseEnvironment } from '../step-environment.ts';
import type { FilterArch } from '../seccomp/system-calls.ts';
import { CLOSED_OUTLET } from './hostile/behind-outlet.fixture.ts';
import { limitsOf, type HostileJob, type Target } from './hostile/hostile-job.fixture.ts';
import { collectOutput, script, specFor, step, textOf } from './open-sandbox.fixture.ts';

/** What was seen of one hostile job; plain data, so that it can be made in one process and judged in another. */
export type Observation = {
  readonly name: string;
  /** The code of the refusal where the executor would not run it. */
  readonly refused: string | null;
  readonly outcome: StepOutcome | null;
  readonly text: string;
  /** Everything that was left on the host; all empty when it is clean. */
  readonly left: Readonly<
    Record<'reported' | 'processes' | 'groups' | 'mounts' | 'ipc' | 'state' | 'workspace', readonly string[]>
  >;
  readonly secret: string;
};

export const SECRET = 'obviously-fake-host-secret';

const NOTHING_LEFT = { reported: [], processes: [], groups: [], mounts: [], ipc: [], state: [], workspace: [] };

const listen = (server: Server, at: { port: number; host: string } | { path: string }): Promise<void> =>
  new Promise((resolve) => server.listen(at, resolve));

/** A directory of the warden's with a secret and a workspace in it. */
type Ground = { readonly secretFile: string; readonly hostDir: string };

/** An executor that nobody else uses meanwhile, and where it keeps its state. */
export type Defender = { readonly executor: SandboxExecutor; readonly stateDir: string };

async function withGround<T>(use: (ground: Ground) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'delta-battery-'));
  const ground = { secretFile: join(root, 'secret'), hostDir: join(root, 'workspace') };
  try {
    await Promise.all([mkdir(ground.hostDir), writeFile(ground.secretFile, SECRET)]);
    return await use(ground);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** What shells set for themselves, in whoever started us as in a job: the same value of both tells nothing. */
const OF_ANY_SHELL = ['PWD', 'OLDPWD', 'SHLVL', '_'];

/** As /proc shows it, whatever was set since; less what a job has too. */
function ownEnvironment(): readonly string[] {
  const given = Object.entries(baseEnvironment('job', '/home/job', '/tmp')).map(([name, value]) => `${name}=${value}`);
  const entries = readFileSync('/proc/self/environ', 'utf8').split('\0');
  return entries.filter(
    (entry) => entry !== '' && !given.includes(entry) && !OF_ANY_SHELL.includes(entry.split('=')[0] ?? ''),
  );
}

/** A host worth attacking. */
async function withTarget<T>(secretFile: string, use: (target: Target) => Promise<T>): Promise<T> {
  const [tcp, abstract] = [createServer((socket) => socket.destroy()), createServer((socket) => socket.destroy())];
  const abstractName = `delta-battery-${process.pid}`;
  await Promise.all([listen(tcp, { port: 0, host: '127.0.0.1' }), listen(abstract, { path: `\0${abstractName}` })]);
  const { port } = tcp.address() as AddressInfo;
  const arch = process.arch as FilterArch;
  try {
    const { pid: wardenPid, execPath: node } = process;
    return await use({
      wardenPid,
      environment: ownEnvironment(),
      secretFile,
      secret: SECRET,
      port,
      abstractName,
      node,
      arch,
    });
  } finally {
    tcp.close();
    abstract.close();
  }
}

function userIdsOf(wardenPid: number): { readonly first: number; readonly end: number } {
  const first = FIRST_USER_ID + wardenPid * SANDBOXES_PER_WARDEN;
  return { first, end: first + SANDBOXES_PER_WARDEN };
}

/** As root, sandboxes of a warden have user ids of their own: whoever still carries one escaped every mark. */
function processesWithUserIdsOf(wardenPid: number): readonly number[] {
  const { first, end } = userIdsOf(wardenPid);
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const uid = statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? 0;
      return uid >= first && uid < end;
    });
}

/** Shared memory, semaphores and message queues of the host that belong to one of our sandboxes. */
function ipcWithUserIdsOf(wardenPid: number): readonly string[] {
  const { first, end } = userIdsOf(wardenPid);
  const lines = ['shm', 'sem', 'msg'].flatMap((kind) => readFileSync(`/proc/sysvipc/${kind}`, 'utf8').split('\n'));
  return lines.filter((line) =>
    line
      .trim()
      .split(/\s+/)
      .map(Number)
      .some((field) => field >= first && field < end),
  );
}

/** What is on the host of these sandboxes, and of whatever else the warden with this process id opened. */
export async function lookAround(
  ids: readonly string[],
  stateDir: string,
  hostDir: string,
  wardenPid: number,
): Promise<Omit<Observation['left'], 'reported'>> {
  const cgroups = detectCgroups();
  const parents = cgroups.found ? cgroupParents(cgroups.host) : [];
  const groups = (await Promise.all(parents.map((parent) => readdir(parent)))).flat();
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return {
    processes: [
      ...ids.flatMap((id) => processesWithVariable(SANDBOX_VARIABLE, id)),
      ...processesWithUserIdsOf(wardenPid),
    ].map(String),
    groups: groups.filter((name) => ids.some((id) => name.includes(id))),
    ipc: ipcWithUserIdsOf(wardenPid),
    mounts: mounts.filter((line) => line.includes(stateDir) || line.includes(hostDir)),
    state: await readdir(stateDir),
    workspace: await readdir(hostDir),
  };
}

type Output = ReturnType<typeof collectOutput>;

const COLLECTED_BYTES_MAX = 1024 * 1024;

/** Names and contents of what a job left, as if it had printed them. */
async function collectInto(output: Output, sandbox: Sandbox, pattern: string): Promise<void> {
  const caps = { ...DEFAULT_COLLECT_CAPS, fileBytes: COLLECTED_BYTES_MAX };
  await sandbox.collectFiles([pattern], caps, async ({ path, content }) => {
    await output.sink(Buffer.from(`collected ${path}: ${await textOf(content)}\n`));
  });
}

/** Another job where the first one was. */
async function runNext(text: string, open: () => Promise<Opened>, output: Output): Promise<void> {
  const opened = await open();
  if (!opened.ok) throw new Error(`the next job is turned away: ${opened.refusal.message}`);
  await output.sink(Buffer.from('next\n'));
  await opened.sandbox.run(step(script(text)), output.sink);
  const { leftovers } = await opened.sandbox.close();
  if (leftovers.length > 0) throw new Error(`the next job left ${leftovers.join(', ')}`);
}

async function attack(
  sandbox: Sandbox,
  job: HostileJob,
  target: Target,
  stateDir: string,
  hostDir: string,
  open: () => Promise<Opened>,
): Promise<Observation> {
  for (const [name, content] of Object.entries(job.files?.(target) ?? {})) {
    await writeFile(join(hostDir, name), content, { mode: 0o755 });
  }
  const output = collectOutput();
  const outcome = await sandbox.run(step(script(job.script(target)), job.step ?? {}), output.sink);
  if (job.afterwards !== undefined) {
    await sandbox.run(step(script(job.afterwards.script(target)), job.afterwards.step ?? {}), output.sink);
  }
  if (job.collects !== undefined) await collectInto(output, sandbox, job.collects);
  const ids = await readdir(stateDir);
  const { leftovers } = await sandbox.close();
  if (job.next !== undefined) await runNext(job.next(target), open, output);
  return {
    name: job.name,
    refused: null,
    outcome,
    text: output.text(),
    left: { reported: leftovers, ...(await lookAround(ids, stateDir, hostDir, process.pid)) },
    secret: await readFile(target.secretFile, 'utf8'),
  };
}

const stopperHolds = (probe: TierProbe, job: HostileJob): boolean =>
  probe.layers.every(({ layer, state }) => layer !== job.stoppedBy || state === 'enforced');

const insistingOn = (layer: Layer | undefined): LayerMinimum => ({
  ...MINIMUM_LAYERS.untrusted,
  ...(layer === undefined ? {} : { [layer]: 'enforced' }),
});

/**
 * Runs one job as untrusted code. Where the layer that stops it is not enforced, it is insisted on with the usual minimum and
 * the job should be refused; otherwise hosts that lack other layers still get to show what they have.
 */
export async function observe(
  { executor, stateDir }: Defender,
  job: HostileJob,
): Promise<{ readonly observation: Observation; readonly target: Target }> {
  return withGround((ground) =>
    withTarget(ground.secretFile, async (target) => {
      const holds = stopperHolds(await executor.probe(), job);
      const spec: SandboxSpec = specFor(ground.hostDir, {
        workspace: { hostDir: ground.hostDir, onClose: 'empty' },
        trust: 'untrusted',
        network: job.behindOutlet === true ? CLOSED_OUTLET : 'none',
        limits: limitsOf(job),
        binds: [{ hostPath: dirname(process.execPath) }],
        minimum: holds ? MINIMUM_LAYERS.trusted : insistingOn(job.stoppedBy),
      });
      const opened = await executor.open(spec);
      const unopened = { name: job.name, outcome: null, text: '', left: NOTHING_LEFT, secret: SECRET };
      const observation = opened.ok
        ? await attack(opened.sandbox, job, target, stateDir, ground.hostDir, async () => executor.open(spec))
        : { ...unopened, refused: opened.refusal.code };
      return { observation, target };
    }),
  );
}
