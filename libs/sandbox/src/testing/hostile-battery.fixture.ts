import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { SandboxExecutor } from '../sandbox-executor.ts';
import type { FilterArch } from '../seccomp/system-calls.ts';
import { observe, SECRET, type Observation } from './attack.fixture.ts';
import type { HostileJob, Target } from './hostile/hostile-job.fixture.ts';
import { hostileJobs } from './hostile-jobs.fixture.ts';

/** Matches no text whatever. */
const NOTHING = /(?!)/;

/** The job got nowhere, was told so, and left nothing; or was not let in, for want of the layer that stops it. */
export function expectWithstood(job: HostileJob, target: Target, seen: Observation): void {
  const { outcome, text } = seen;
  const clean = { reported: [], processes: [], groups: [], mounts: [], ipc: [], state: [], workspace: [] };
  expect({ left: seen.left, secret: seen.secret }).toEqual({ left: clean, secret: SECRET });
  const admitted = { refused: null, outcome: { kind: 'finished', result: job.ends } };
  const turnedAway = { refused: 'layer_missing', outcome: null };
  expect({ ...seen, text }).toMatchObject(job.stoppedBy !== undefined && outcome === null ? turnedAway : admitted);
  expect(text).toMatch(outcome === null ? /^$/ : (job.says ?? /^/));
  expect(text).not.toMatch(job.never?.(target) ?? NOTHING);
}

/** Says in the test run's own output how much of the battery there was: tests that pass are mostly not named. */
export function reportBattery(withstood: number, of: number, tier: string, user: string): void {
  process.stdout.write(`hostile battery: ${withstood} of ${of} jobs withstood in tier ${tier} as ${user}\n`);
}

/** The battery against one executor. On a host where the tier does not work at all every job fails, as it should. */
export function describeHostileBattery(
  makeExecutor: (stateDir: string) => SandboxExecutor,
  concerns: (job: HostileJob) => boolean = () => true,
  kernel: 'of the host' | 'its own' = 'of the host',
): void {
  const jobs = hostileJobs(process.arch as FilterArch)
    .filter(concerns)
    .map((job) => (kernel === 'its own' ? { ...job, ...job.underOwnKernel } : job));
  describe(`hostile battery, ${jobs.length} jobs`, () => {
    let stateDir = '';
    let executor: SandboxExecutor;
    let withstood = 0;
    beforeAll(async () => {
      stateDir = await mkdtemp(join(tmpdir(), 'delta-battery-state-'));
      executor = makeExecutor(stateDir);
    });
    afterAll(() => rm(stateDir, { recursive: true, force: true }));

    it.each(jobs.map((job, index) => [index + 1, job.name, job] as const))('%i. a job that %s', async (_, __, job) => {
      const { observation, target } = await observe({ executor, stateDir }, job);
      expectWithstood(job, target, observation);
      withstood += 1;
    });

    it('is told of by number', () => {
      reportBattery(withstood, jobs.length, executor.tier, userInfo().username);
      expect(withstood).toBe(jobs.length);
    });
  });
}
