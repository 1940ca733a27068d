import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdir, readdir, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whereAnEngineAnswers } from '../../../test/support/infra/container-engine.ts';
import { whereRunscIsHad } from '../../../test/support/infra/gvisor.ts';
import { BubblewrapExecutor } from './bubblewrap/bubblewrap-executor.ts';
import { detectCgroups } from './cgroup/cgroup-host.ts';
import { cgroupParents } from './cgroup/step-cgroup.ts';
import { isHeld, reapLeftovers, SANDBOX_VARIABLE } from './leftovers.ts';
import { EngineClient } from './container/engine-client.ts';
import { GvisorExecutor } from './gvisor/gvisor-executor.ts';
import { isMountPoint } from './mount-table.ts';
import { processesWithVariable } from './process-table.ts';
import { startWarden, type WardenOptions } from './testing/warden-that-dies.fixture.ts';
import { probeOnce, withDirectories } from './testing/open-sandbox.fixture.ts';
import { whereItRuns } from './testing/where-it-runs.fixture.ts';
import { openSandboxDir } from './sandbox-record.ts';
import { waitUntil } from './wait-until.ts';

const GONE_WITHIN_MS = 10_000;

async function groupsOf(id: string): Promise<readonly string[]> {
  const cgroups = detectCgroups();
  const parents = cgroups.found ? cgroupParents(cgroups.host) : [];
  return (await Promise.all(parents.map((parent) => readdir(parent)))).flat().filter((name) => name.includes(id));
}

const bwrap = process.env['DELTA_BWRAP'] ?? 'bwrap';
const programDirs = (process.env['PATH'] ?? '').split(':');

/** A directory with a warden that was killed without warning, and the id of the sandbox it had open. */
async function withDeadWarden(
  given: Pick<WardenOptions, 'tier'> & Partial<WardenOptions>,
  use: (stateDir: string, hostDir: string, id: string) => Promise<void>,
): Promise<void> {
  await withDirectories(async (stateDir, hostDir) => {
    const warden = await startWarden({ stateDir, hostDir, bwrap, programDirs, engineSocket: '', ...given });
    const [id = ''] = await readdir(stateDir);
    const several = (): boolean => processesWithVariable(SANDBOX_VARIABLE, id).length > 1;
    expect(await waitUntil(several, GONE_WITHIN_MS)).toBe(true);
    const exited = once(warden, 'exit');
    warden.kill('SIGKILL');
    await exited;
    await use(stateDir, hostDir, id);
  });
}

/** That its processes died with it, and that the next start finishes off the rest. */
async function finishedOff(stateDir: string, hostDir: string, id: string): Promise<void> {
  const dead = (): boolean => processesWithVariable(SANDBOX_VARIABLE, id).length === 0;
  expect(await waitUntil(dead, GONE_WITHIN_MS)).toBe(true);
  expect(await reapLeftovers(stateDir)).toEqual({ reaped: [id], leftovers: [] });
  expect(await readdir(stateDir)).toEqual([]);
  expect(await readdir(hostDir)).toEqual([]);
  expect(isMountPoint(hostDir)).toBe(false);
  expect(await groupsOf(id)).toEqual([]);
}

const makeSandboxes = (stateDir: string): BubblewrapExecutor =>
  new BubblewrapExecutor({ stateDir, killGraceMs: 1_000, bwrap, programDirs });

const withoutGroups = !detectCgroups().found;

whereItRuns('reaping tier sandbox', await probeOnce(makeSandboxes), () => {
  it.each([
    ['whose step ran', false],
    ['whose sandbox stood by', true],
  ])(
    'given a warden that was killed, %s, its processes die with it, and the next start finishes off the rest',
    async (_, standing) => {
      if (standing && withoutGroups) return;
      await withDeadWarden({ tier: 'sandbox', standing }, finishedOff);
    },
  );
});

await whereRunscIsHad('reaping tier gvisor', async (runsc) => {
  const makeExecutor = (stateDir: string): GvisorExecutor =>
    new GvisorExecutor({ stateDir, killGraceMs: 1_000, runsc, programDirs });

  whereItRuns('reaping tier gvisor', await probeOnce(makeExecutor), () => {
    it('given a warden that was killed, its processes die with it, and the next start finishes off the rest', async () => {
      await withDeadWarden({ tier: 'gvisor', runsc }, finishedOff);
    });
  });
});

await whereAnEngineAnswers('reaping tier container', (socket) => {
  const engine = new EngineClient(socket);

  it('given a warden that was killed, the next start finds its containers by their label and finishes them off', async () => {
    await withDeadWarden({ tier: 'container', engineSocket: socket }, async (stateDir, hostDir, id) => {
      expect(await engine.containersOf(id)).toHaveLength(1);
      expect(await reapLeftovers(stateDir)).toEqual({ reaped: [id], leftovers: [] });
      expect(await engine.containersOf(id)).toEqual([]);
      expect(processesWithVariable(SANDBOX_VARIABLE, id)).toEqual([]);
      expect(await readdir(stateDir)).toEqual([]);
      expect(await readdir(hostDir)).toEqual([]);
    });
  });
});

describe('after a warden was killed', () => {
  it('tier process: the next start finishes off processes, groups and files', async () => {
    await withDeadWarden({ tier: 'process' }, async (stateDir, hostDir, id) => {
      expect(await reapLeftovers(stateDir)).toEqual({ reaped: [id], leftovers: [] });
      expect(processesWithVariable(SANDBOX_VARIABLE, id)).toEqual([]);
      expect(await readdir(stateDir)).toEqual([]);
      expect(await readdir(hostDir)).toEqual([]);
      expect(await groupsOf(id)).toEqual([]);
    });
  });
});

/** A record of a warden that is gone, of whose sandbox nobody can say whether it still has containers. */
async function openResisting(stateDir: string, workspace: string): Promise<void> {
  const { directory, record } = await openSandboxDir(stateDir, {
    id: 'gone',
    cgroupParents: [],
    mounts: [join(stateDir, 'root')],
    engineSocket: join(stateDir, 'no.sock'),
    workspaceToEmpty: workspace,
  });
  await writeFile(join(directory, 'sandbox.json'), JSON.stringify({ ...record, wardenStartTicks: 0 }));
}

describe('reaping', () => {
  it('given an engine that does not answer, it says what it cannot tell and keeps the record for the next start', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      await openResisting(stateDir, hostDir);
      const resists = [`containers of sandbox gone, of which the engine at ${stateDir}/no.sock does not answer`];
      const leftovers = [{ id: 'gone', resists, holds: [hostDir, join(stateDir, 'root')] }];
      expect(await reapLeftovers(stateDir)).toEqual({ reaped: [], leftovers });
      expect(await readdir(stateDir)).toEqual(['gone']);
    });
  });

  it('given something that resists, then it holds what its workspace is below or above of, by whatever path, and nothing else', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const workspace = join(hostDir, 'work-1', 'job', 'workspace');
      await mkdir(workspace, { recursive: true });
      for (const other of ['work-11', 'work-2']) await mkdir(join(hostDir, other));
      await openResisting(stateDir, workspace);
      const { leftovers } = await reapLeftovers(stateDir);
      await rename(join(hostDir, 'work-1'), join(hostDir, 'moved'));
      await symlink('moved', join(hostDir, 'work-1'));
      const held = async (...path: string[]): Promise<boolean> => isHeld(join(hostDir, ...path), leftovers);
      for (const path of ['work-1', 'moved', 'moved/job', 'moved/job/workspace/of-the-job', '.'])
        expect([path, await held(path)]).toEqual([path, true]);
      for (const path of ['work-11', 'work-2', 'moved/job/source.git', 'nowhere'])
        expect([path, await held(path)]).toEqual([path, false]);
      expect(await isHeld(workspace, [])).toBe(false);
    });
  });

  it('leaves alone what a living warden opened', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const warden = await startWarden({ tier: 'process', stateDir, hostDir, bwrap, programDirs, engineSocket: '' });
      const before = await readdir(stateDir);
      expect(await reapLeftovers(stateDir)).toEqual({ reaped: [], leftovers: [] });
      expect(await readdir(stateDir)).toEqual(before);
      const exited = once(warden, 'exit');
      warden.kill('SIGKILL');
      await exited;
      expect((await reapLeftovers(stateDir)).reaped).toEqual(before);
    });
  });

  it('given a record that was never finished, it waits until nobody can be writing it, then removes it', async () => {
    await withDirectories(async (stateDir) => {
      await mkdir(join(stateDir, 'torn'));
      await writeFile(join(stateDir, 'torn', 'sandbox.json'), '{"id":');
      await reapLeftovers(stateDir);
      expect(await readdir(stateDir)).toEqual(['torn']);
      await utimes(join(stateDir, 'torn'), 0, 0);
      await reapLeftovers(stateDir);
      expect(await readdir(stateDir)).toEqual([]);
    });
  });

  it.each<[string, (path: string) => Promise<unknown>]>([
    ['cannot be read', async (path) => mkdir(path)],
    ['is not as this version writes them', async (path) => writeFile(path, '{"id":"other","version":2}')],
  ])('given a record that %s, it says so and touches nothing, however old', async (_, write) => {
    await withDirectories(async (stateDir) => {
      const directory = join(stateDir, 'other');
      await mkdir(directory);
      await write(join(directory, 'sandbox.json'));
      await utimes(directory, 0, 0);
      const report = await reapLeftovers(stateDir);
      const resists = [expect.stringMatching(/other, whose record cannot be read: /)];
      expect(report).toEqual({ reaped: [], leftovers: [{ id: 'other', resists, holds: null }] });
      expect(await isHeld(tmpdir(), report.leftovers)).toBe(true);
      expect(await readdir(directory)).toEqual(['sandbox.json']);
    });
  });

  it('given no state directory yet, there is nothing to do', async () => {
    expect(await reapLeftovers('/nowhere/at/all')).toEqual({ reaped: [], leftovers: [] });
  });
});
