import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { cgroupParents } from '../cgroup/step-cgroup.ts';
import { detectCgroups } from '../cgroup/cgroup-host.ts';
import { SANDBOX_VARIABLE } from '../leftovers.ts';
import { MINIMUM_LAYERS } from '../layer-minimum.ts';
import { processesWithVariable } from '../process-table.ts';
import type { SandboxExecutor, SandboxSpec } from '../sandbox-executor.ts';
import type { FilterArch } from '../seccomp/system-calls.ts';
import { hostileJobs, limitsOf, type HostileJob, type Target } from './hostile-jobs.ts';
import { collectOutput, finished, script, specFor, step, withDirectories } from './open-sandbox.ts';

const SECRET = 'obviously-fake-host-secret';

const listen = (server: Server, at: number | { path: string }): Promise<void> =>
  new Promise((resolve) => {
    if (typeof at === 'number') server.listen(at, '127.0.0.1', resolve);
    else server.listen(at, resolve);
  });

/** A host worth attacking, for one job. */
async function withTarget<T>(stateDir: string, use: (target: Target) => Promise<T>): Promise<T> {
  const tcp = createServer((socket) => socket.destroy());
  const abstract = createServer((socket) => socket.destroy());
  const abstractName = `delta-battery-${process.pid}`;
  await Promise.all([listen(tcp, 0), listen(abstract, { path: `\0${abstractName}` })]);
  const secretFile = join(dirname(stateDir), 'secret');
  await writeFile(secretFile, SECRET);
  const address = tcp.address() as AddressInfo;
  try {
    return await use({
      agentPid: process.pid,
      secretFile,
      secret: SECRET,
      port: address.port,
      abstractName,
      node: process.execPath,
      arch: process.arch as FilterArch,
    });
  } finally {
    tcp.close();
    abstract.close();
  }
}

async function expectCleanHost(stateDir: string, hostDir: string, sandboxIds: readonly string[]): Promise<void> {
  const cgroups = detectCgroups();
  const parents = cgroups.found ? cgroupParents(cgroups.host) : [];
  const groups = (await Promise.all(parents.map((parent) => readdir(parent)))).flat();
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  expect({
    processes: sandboxIds.flatMap((id) => processesWithVariable(SANDBOX_VARIABLE, id)),
    groups: groups.filter((name) => sandboxIds.some((id) => name.includes(id))),
    mounts: mounts.split('\n').filter((line) => line.includes(stateDir) || line.includes(hostDir)),
    state: await readdir(stateDir),
    workspace: await readdir(hostDir),
    secret: readFileSync(join(dirname(stateDir), 'secret'), 'utf8'),
  }).toEqual({ processes: [], groups: [], mounts: [], state: [], workspace: [], secret: SECRET });
}

async function attack(executor: SandboxExecutor, job: HostileJob, spec: SandboxSpec, stateDir: string, target: Target) {
  const opened = await executor.open(spec);
  if (!opened.ok) throw new Error(`${opened.refusal.code}: ${opened.refusal.message}`);
  for (const [name, content] of Object.entries(job.files?.(target) ?? {})) {
    await writeFile(join(spec.workspace.hostDir, name), content, { mode: 0o755 });
  }
  const output = collectOutput();
  const outcome = await opened.sandbox.run(step(script(job.script(target)), job.step ?? {}), output.sink);
  const ids = await readdir(stateDir);
  expect(await opened.sandbox.close()).toEqual({ leftovers: [] });
  await expectCleanHost(stateDir, spec.workspace.hostDir, ids);
  return { result: finished(outcome), text: output.text() };
}

async function expectRefused(executor: SandboxExecutor, spec: SandboxSpec): Promise<void> {
  expect(await executor.open(spec)).toMatchObject({ ok: false, refusal: { code: 'layer_missing' } });
}

/** Matches no text whatever. */
const NOTHING = /(?!)/;

/** Runs one job, or, where its layer is missing on this host, makes sure that it would be refused. */
async function withstand(job: HostileJob, makeExecutor: (stateDir: string) => SandboxExecutor): Promise<void> {
  await withDirectories(async (stateDir, hostDir) => {
    const executor = makeExecutor(stateDir);
    const { layers } = await executor.probe();
    const base = specFor(hostDir, {
      workspace: { hostDir, onClose: 'empty' },
      trust: 'untrusted',
      limits: limitsOf(job),
      binds: [{ hostPath: dirname(process.execPath) }],
    });
    const stopper = layers.find(({ layer }) => layer === job.stoppedBy);
    if (stopper !== undefined && stopper.state !== 'enforced') {
      return expectRefused(executor, base);
    }
    await withTarget(stateDir, async (target) => {
      const { result, text } = await attack(
        executor,
        job,
        { ...base, minimum: MINIMUM_LAYERS.trusted },
        stateDir,
        target,
      );
      expect({ ...result, text }).toMatchObject(job.ends);
      expect(text).toMatch(job.says ?? /^/);
      expect(text).not.toMatch(job.never?.(target) ?? NOTHING);
    });
  });
}

/** The battery against one executor. On a host where the tier does not work at all every job fails, as it should. */
export function describeHostileBattery(makeExecutor: (stateDir: string) => SandboxExecutor): void {
  const jobs = hostileJobs(process.arch as FilterArch);
  describe(`hostile battery, ${jobs.length} jobs`, () => {
    it.each(jobs.map((job, index) => [index + 1, job.name, job] as const))('%i. a job that %s', async (_, __, job) => {
      await withstand(job, makeExecutor);
    });
  });
}
