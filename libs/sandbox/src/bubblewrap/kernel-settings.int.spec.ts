import { describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectCgroups } from '../cgroup/cgroup-host.ts';
import type { Sandbox, SandboxSpec } from '../sandbox-executor.ts';
import { collectOutput, finished, probeOnce, script, specFor, step } from '../testing/open-sandbox.fixture.ts';
import { guessFor } from '../testing/standing-first.fixture.ts';
import { whereItRuns } from '../testing/where-it-runs.fixture.ts';
import { BubblewrapExecutor } from './bubblewrap-executor.ts';
import { findHost } from './bubblewrap-host.ts';
import { prepareSandbox, type Preparation } from './prepare-sandbox.ts';
import { standUp } from './standing-sandbox.ts';
import { OWN_USER_IDS } from './user-ids.ts';

const bwrap = process.env['DELTA_BWRAP'] ?? 'bwrap';
const programDirs = (process.env['PATH'] ?? '').split(':');
const cgroups = detectCgroups();

/**
 * Stands for `setpriv`, which is root still, as a job would have it that took it over: opens all it can of the kernel's
 * settings for writing (and writes nothing, should it succeed), says which it could, and goes on.
 */
const TAKEN_OVER = `#!/bin/sh
id -u
for f in $(find /proc/sys /proc/sysrq-trigger /proc/irq /proc/bus /proc/fs -type f 2>/dev/null); do
  (exec 3>>"$f") 2>/dev/null && echo "could write $f"
done
exec setpriv "$@"
`;

async function withTakenOver(use: (preparation: Preparation, spec: SandboxSpec) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'delta-settings-'));
  try {
    const [stateDir, hostDir, programs] = [join(root, 'state'), join(root, 'workspace'), join(root, 'programs')];
    await Promise.all([stateDir, hostDir, programs].map(async (directory) => mkdir(directory)));
    await writeFile(join(programs, 'taken-over'), TAKEN_OVER, { mode: 0o755 });
    const found = await findHost(bwrap, programDirs, stateDir, cgroups);
    if (!found.found) throw new Error('no sandbox works here');
    const host = { ...found.host, setpriv: '/opt/programs/taken-over' };
    const groups = cgroups.found ? cgroups.host : null;
    const common = {
      layers: [],
      cgroups: groups,
      stateDir,
      killGraceMs: 1_000,
      userIds: OWN_USER_IDS,
      rootTools: null,
    };
    await use({ host, ...common }, specFor(hostDir, { binds: [{ hostPath: programs, at: '/opt/programs' }] }));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function saidIn(sandbox: Sandbox): Promise<string> {
  const output = collectOutput();
  const result = finished(await sandbox.run(step(script('echo done')), output.sink));
  expect(await sandbox.close()).toEqual({ leftovers: [] });
  expect(result.exitCode).toBe(0);
  return output.text();
}

const probe = await probeOnce(
  (stateDir) => new BubblewrapExecutor({ stateDir, killGraceMs: 1_000, bwrap, programDirs }),
);

whereItRuns('settings of the kernel, before the job’s user is taken', probe, () => {
  // Anybody else is never root in a sandbox, and without control groups none stands ahead.
  const amRoot = process.getuid?.() === 0;
  const started = amRoot ? describe : describe.skip;
  const ahead = amRoot && cgroups.found ? describe : describe.skip;

  started('given a step', () => {
    it('not even root opens one of them for writing', async () => {
      await withTakenOver(async (preparation, spec) => {
        const opened = await prepareSandbox(preparation, spec);
        if (!opened.ok) throw new Error(opened.refusal.message);
        expect(await saidIn(opened.sandbox)).toBe('0\ndone\n');
      });
    });
  });

  ahead('given a step that stood ahead', () => {
    it('not even root opens one of them for writing', async () => {
      await withTakenOver(async (preparation, spec) => {
        const standing = await standUp(preparation, guessFor(spec));
        const sandbox = await standing?.adopt(preparation, spec);
        if (sandbox === undefined || sandbox === null) throw new Error('no sandbox stood ready');
        expect(await saidIn(sandbox)).toBe('0\ndone\n');
      });
    });
  });
});
