import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeProcessDirectory } from '@delta-ci/git';
import { recorded, type Recorded } from '../../recorded-surroundings.fixture.ts';
import { clearLeftovers, RUN_PREFIX, runsDirectory } from './leftovers.ts';

describe('what a delta left that was killed', () => {
  let place: string;
  let sandboxesDir: string;
  let here: Recorded;
  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'delta-leftovers-'));
    sandboxesDir = join(place, 'sandboxes');
    here = recorded(place, { HOME: place, DELTA_CACHE_HOME: place });
    await mkdir(runsDirectory(here.surroundings), { recursive: true });
  });
  afterEach(async () => rm(place, { recursive: true, force: true }));

  /** The workspace of a job whose `delta` is gone. */
  async function workspaceOfTheDead(): Promise<string> {
    const child = spawn('/bin/sh', ['-c', ':']);
    await once(child, 'exit');
    const made = await makeProcessDirectory(runsDirectory(here.surroundings), RUN_PREFIX);
    const name = basename(made).replace(`-${process.pid}-`, `-${child.pid}-`);
    await rename(made, join(dirname(made), name));
    const workspace = join(dirname(made), name, 'job-x', 'workspace');
    await mkdir(workspace, { recursive: true });
    return workspace;
  }

  it('given nothing that resists, then all of it goes, and nothing is said', async () => {
    await workspaceOfTheDead();
    await clearLeftovers(here.surroundings, sandboxesDir);
    expect([await readdir(runsDirectory(here.surroundings)), here.err()]).toEqual([[], '']);
  });

  it('given a sandbox of which nobody can say whether it is alive, then its run stays, others go, and what to do is said', async () => {
    const [held] = [await workspaceOfTheDead(), await workspaceOfTheDead()];
    const record = {
      id: 'resisting',
      wardenPid: 1,
      wardenStartTicks: -1,
      cgroupParents: [],
      mounts: [],
      engineSocket: join(place, 'no.sock'),
      workspaceToEmpty: held,
    };
    await mkdir(join(sandboxesDir, record.id), { recursive: true });
    await writeFile(join(sandboxesDir, record.id, 'sandbox.json'), JSON.stringify(record));
    await clearLeftovers(here.surroundings, sandboxesDir);
    const left = await readdir(runsDirectory(here.surroundings));
    expect(left).toEqual([basename(dirname(dirname(held)))]);
    expect(here.err()).toMatch(/left: containers of sandbox resisting[^\n]*\nKill[^\n]*next `delta run`[^\n]*\n$/u);
  });
});
