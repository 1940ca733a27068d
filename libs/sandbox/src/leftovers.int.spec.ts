import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BubblewrapExecutor } from './bubblewrap/bubblewrap-executor.ts';
import { detectCgroups } from './cgroup/cgroup-host.ts';
import { cgroupParents } from './cgroup/step-cgroup.ts';
import { reapLeftovers, SANDBOX_VARIABLE } from './leftovers.ts';
import { isMountPoint } from './mount-table.ts';
import { processesWithVariable } from './process-table.ts';
import { startAgent, type AgentOptions } from './testing/agent-that-dies.fixture.ts';
import { probeOnce, withDirectories } from './testing/open-sandbox.fixture.ts';
import { whereItRuns } from './testing/where-it-runs.fixture.ts';
import { waitUntil } from './wait-until.ts';

const GONE_WITHIN_MS = 10_000;

async function groupsOf(id: string): Promise<readonly string[]> {
  const cgroups = detectCgroups();
  const parents = cgroups.found ? cgroupParents(cgroups.host) : [];
  return (await Promise.all(parents.map((parent) => readdir(parent)))).flat().filter((name) => name.includes(id));
}

const bwrap = process.env['DELTA_BWRAP'] ?? 'bwrap';
const programDirs = (process.env['PATH'] ?? '').split(':');

/** A directory with an agent that was killed without warning, and the id of the sandbox it had open. */
async function withDeadAgent(
  tier: AgentOptions['tier'],
  use: (stateDir: string, hostDir: string, id: string) => Promise<void>,
): Promise<void> {
  await withDirectories(async (stateDir, hostDir) => {
    const agent = await startAgent({ tier, stateDir, hostDir, bwrap, programDirs });
    const [id = ''] = await readdir(stateDir);
    expect(processesWithVariable(SANDBOX_VARIABLE, id).length).toBeGreaterThan(1);
    const exited = once(agent, 'exit');
    agent.kill('SIGKILL');
    await exited;
    await use(stateDir, hostDir, id);
  });
}

const makeSandboxes = (stateDir: string): BubblewrapExecutor =>
  new BubblewrapExecutor({ stateDir, killGraceMs: 1_000, bwrap, programDirs });

whereItRuns('reaping tier sandbox', await probeOnce(makeSandboxes), () => {
  it('given an agent that was killed, its processes die with it, and the next start finishes off the rest', async () => {
    await withDeadAgent('sandbox', async (stateDir, hostDir, id) => {
      const dead = (): boolean => processesWithVariable(SANDBOX_VARIABLE, id).length === 0;
      expect(await waitUntil(dead, GONE_WITHIN_MS)).toBe(true);
      expect(await reapLeftovers(stateDir)).toEqual({ reaped: [id], leftovers: [] });
      expect(await readdir(stateDir)).toEqual([]);
      expect(await readdir(hostDir)).toEqual([]);
      expect(isMountPoint(hostDir)).toBe(false);
      expect(await groupsOf(id)).toEqual([]);
    });
  });
});

describe('after an agent was killed', () => {
  it('tier process: the next start finishes off processes, groups and files', async () => {
    await withDeadAgent('process', async (stateDir, hostDir, id) => {
      expect(await reapLeftovers(stateDir)).toEqual({ reaped: [id], leftovers: [] });
      expect(processesWithVariable(SANDBOX_VARIABLE, id)).toEqual([]);
      expect(await readdir(stateDir)).toEqual([]);
      expect(await readdir(hostDir)).toEqual([]);
      expect(await groupsOf(id)).toEqual([]);
    });
  });
});

describe('reaping', () => {
  it('leaves alone what a living agent opened', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const agent = await startAgent({ tier: 'process', stateDir, hostDir, bwrap, programDirs });
      const before = await readdir(stateDir);
      expect(await reapLeftovers(stateDir)).toEqual({ reaped: [], leftovers: [] });
      expect(await readdir(stateDir)).toEqual(before);
      const exited = once(agent, 'exit');
      agent.kill('SIGKILL');
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

  it('given no state directory yet, there is nothing to do', async () => {
    expect(await reapLeftovers('/nowhere/at/all')).toEqual({ reaped: [], leftovers: [] });
  });
});
