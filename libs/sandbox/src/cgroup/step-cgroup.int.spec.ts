import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import { outsideCommand } from '../step-entry.ts';
import { detectCgroups, type CgroupHost } from './cgroup-host.ts';
import { CGROUP_PREFIX, createStepCgroup, type StepCgroup } from './step-cgroup.ts';

const MiB = 1024 ** 2;
const LIMITS = { ...DEFAULT_SANDBOX_LIMITS, memoryBytes: 48 * MiB, pids: 20, cpuCount: 1 };

/** Groups of this kernel, of whichever version it has, with real processes in them. */
function describeGroups(host: CgroupHost): void {
  let group: StepCgroup;
  beforeEach(async () => {
    group = await createStepCgroup(host, `${CGROUP_PREFIX}${randomBytes(8).toString('hex')}-0`, LIMITS);
  });
  afterEach(async () => {
    await group.kill();
    await group.remove();
  });

  async function ended(script: string): Promise<{ readonly code: number | null; readonly said: string }> {
    const [file, ...args] = outsideCommand(group.joinFiles, ['/bin/sh', '-c', script]);
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'exit')) as [number | null];
    return { code, said };
  }

  it('given a step within its limits, it ends as it ends, and what it used is told', async () => {
    expect(await ended('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 3')).toMatchObject({ code: 3 });
    const { cpuMs, memoryPeakBytes, oomKilled } = await group.usage();
    expect(oomKilled).toBe(false);
    expect(cpuMs).toBeGreaterThan(0);
    expect(memoryPeakBytes).toBeGreaterThan(0);
  });

  it('given more memory than it may have, something of it is killed, and that is told', async () => {
    await ended('head -c 300M /dev/zero | tail | wc -c');
    const { memoryPeakBytes, oomKilled } = await group.usage();
    expect(oomKilled).toBe(true);
    expect(memoryPeakBytes).toBeLessThanOrEqual(LIMITS.memoryBytes);
  });

  it('given other limits, larger ones and smaller ones, then the last ones hold', async () => {
    await group.limit({ ...LIMITS, memoryBytes: 4 * LIMITS.memoryBytes });
    await ended('head -c 100M /dev/zero | tail | wc -c');
    expect((await group.usage()).oomKilled).toBe(false);
    await group.limit(LIMITS);
    await ended('head -c 100M /dev/zero | tail | wc -c');
    expect((await group.usage()).oomKilled).toBe(true);
  });

  it('given more processes than it may have, they cannot be made', async () => {
    const { said } = await ended('i=0; while [ $i -lt 40 ]; do i=$((i+1)); sleep 1000 & done');
    expect(said).toMatch(/[Cc]annot fork|Resource temporarily/);
  });

  it('given a daemon in a session of its own, it is dead when the group was killed, and the group can be removed', async () => {
    const { said } = await ended('setsid sleep 1000 >/dev/null 2>&1 & echo $!');
    expect(existsSync(`/proc/${said.trim()}`)).toBe(true);
    expect(await group.kill()).toBe(true);
    expect(await group.remove()).toEqual([]);
    expect(group.joinFiles.map((file) => existsSync(dirname(file)))).toEqual(group.joinFiles.map(() => false));
  });
}

const finding = detectCgroups();
if (finding.found) {
  describe(`control groups v${finding.host.version} of this kernel`, () => {
    describeGroups(finding.host);
  });
} else {
  describe('control groups cannot be had here', () => {
    it(`says why: ${finding.why}`, () => {
      expect(finding.remedy).not.toBe('');
    });
  });
}
