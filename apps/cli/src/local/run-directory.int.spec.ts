import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ProcessExecutor, type Sandbox, type SandboxExecutor } from '@delta-ci/sandbox';
import { DeveloperClone, git } from '../../../../test/support/git-server/bare-repository.ts';
import { aPlannedJob } from '../../../../test/support/made-up/planned-job.ts';
import { recorded, type Recorded } from '../recorded-surroundings.fixture.ts';
import { egressBounds } from './job/egress-bounds.ts';
import { executeJob } from './job/execute-job.ts';
import type { Executed } from './job/explain-locally.ts';
import { HandedInSecrets } from './needs/handed-in-secrets.ts';
import { runsDirectory } from './machine/leftovers.ts';
import { inRunDirectory } from './run-directory.ts';

describe('the directory of a local run', () => {
  let place: string;
  let here: Recorded;
  let source: { gitDir: string; commit: string; tree: string };
  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'delta-run-directory-'));
    const gitDir = join(place, 'shop.git');
    const developer = await DeveloperClone.create(gitDir, gitDir);
    const { after } = await developer.push('main', 'shop', { 'shop.txt': 'open\n' });
    source = { gitDir, commit: after, tree: await git(developer.directory, 'rev-parse', 'HEAD^{tree}') };
    await developer.remove();
    here = recorded(place, { PATH: process.env['PATH'], HOME: place, DELTA_CACHE_HOME: join(place, 'cache') });
  });
  afterEach(async () => rm(place, { recursive: true, force: true }));

  /** As it runs jobs on this host, but for what `change` makes of each sandbox. */
  function executorWith(change: (sandbox: Sandbox) => void): SandboxExecutor {
    const executor = new ProcessExecutor({ stateDir: join(place, 'sandboxes'), killGraceMs: 500 });
    return {
      tier: executor.tier,
      probe: async () => executor.probe(),
      open: async (spec) => {
        const opened = await executor.open(spec);
        if (opened.ok) change(opened.sandbox);
        return opened;
      },
    };
  }

  /** A run of two jobs, of which `change` is for the first alone. */
  async function twoJobs(change: (sandbox: Sandbox) => void): Promise<Executed[]> {
    const same = {
      runId: `run_${'0'.repeat(32)}`,
      sourceOf: () => source,
      secrets: new HandedInSecrets(new Map(), null),
      artifactDir: null,
      network: 'host',
      egress: egressBounds(here.surroundings),
      cachesFor: null,
      toolchainDirs: [],
      nowMs: Date.now,
    } as const;
    return inRunDirectory(here.surroundings, async (directory) => {
      const executed: Executed[] = [];
      for (const [key, changed] of [
        ['unit', change],
        ['other', () => undefined],
      ] as const) {
        const job = aPlannedJob(key, { steps: [{ name: 'keep', run: `echo ${key} > kept`, workdir: '.' }] });
        const ground = { ...same, executor: executorWith(changed), directory };
        executed.push(await executeJob(ground, job, () => undefined, new AbortController().signal));
      }
      return executed;
    });
  }

  const succeeded = { result: { outcome: 'succeeded', infrastructureError: null } };
  const left = async (): Promise<string[]> => readdir(runsDirectory(here.surroundings), { recursive: true });

  it('given jobs that leave nothing alive, then nothing of the run is left, and nothing is said', async () => {
    expect(await twoJobs(() => undefined)).toMatchObject([succeeded, succeeded]);
    expect([await left(), here.err()]).toEqual([[], '']);
  });

  it('given a job that would not die, then nothing is deleted below it, its verdict stands, and that is said once', async () => {
    const alive = { leftovers: ['process 4711'] };
    const executed = await twoJobs((sandbox) => {
      sandbox.end = async () => Promise.resolve(alive);
      sandbox.close = async () => Promise.resolve(alive);
    });
    expect(executed).toMatchObject([succeeded, succeeded]);
    const kept = (await left()).filter((name) => name.endsWith('/kept'));
    expect(kept).toHaveLength(1);
    expect(await readFile(join(runsDirectory(here.surroundings), kept[0] ?? ''), 'utf8')).toBe('unit\n');
    expect(here.err()).toMatch(/^[^\n]*process 4711[^\n]*\/runs\/run-[^\n]*\n[^\n]*next `delta run`[^\n]*\n$/u);
  });

  it('given a mount that would not go when all is ended, then nothing is deleted below that either', async () => {
    const executed = await twoJobs((sandbox) => {
      sandbox.close = async () => Promise.resolve({ leftovers: ['mount /somewhere'] });
    });
    expect(executed).toMatchObject([succeeded, succeeded]);
    expect((await left()).filter((name) => name.endsWith('/kept'))).toHaveLength(1);
    expect(here.err()).toContain('mount /somewhere');
  });

  it('given a removal that fails, then the verdict stands, the run goes on, and what stays is said', async () => {
    const executed = await twoJobs((sandbox) => {
      sandbox.close = async () => Promise.reject(new Error('the engine does not answer'));
    });
    expect(executed).toMatchObject([succeeded, succeeded]);
    expect((await left()).filter((name) => name.endsWith('/kept'))).toHaveLength(1);
    expect(here.err()).toContain('the engine does not answer');
  });

  it('given a run that fails itself, then its directory goes as well', async () => {
    let directory = '';
    const failing = inRunDirectory(here.surroundings, async ({ path }) => {
      directory = path;
      expect(existsSync(path)).toBe(true);
      return Promise.reject(new Error('no source'));
    });
    await expect(failing).rejects.toThrow('no source');
    expect([existsSync(directory), here.err()]).toEqual([false, '']);
  });
});
