import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JobView, RunView } from '@delta-ci/contracts';
import { SHOP_REPOSITORY } from '../../tools/start/demo/shop-repository.ts';
import { eventually } from '../support/infra/index.ts';
import { startTestMesh, type PushedChange, type TestMesh } from '../support/mesh/index.ts';

const SHOP = 'demo/looked-at';
const DELTA = join(dirname(dirname(import.meta.dirname)), 'apps', 'cli', 'bin', 'delta.mjs');
/** Every change is in the sample, and one escape is one too many. */
const CONFIG = 'version: 1\njobs: {}\npolicies: { shadow: { rate: 1, max_escape_rate: 0.4, min_samples: 1 } }\n';
const GREETING = { name: '@shop/greeting', version: '1.0.0', type: 'module', scripts: { test: 'sh ./test.sh' } };

const jobOf = ({ jobs }: RunView, key: string): JobView | undefined => jobs.find((job) => job.key === key);

/** What is left out runs beside what is not, decides nothing, and what it finds counts. */
describe('the shadow ledger', () => {
  let system: TestMesh;
  let released: () => void;
  let first: RunView;

  beforeAll(async () => {
    system = await startTestMesh({ repositories: [SHOP] });
    const held = system.hold('shadow');
    released = held.release;
    // Reads a file of another package, which nothing that planning reads tells.
    const script = ['if [ "$(cat ../money/rates.txt)" = 1 ]; then exit 0; fi', ...held.steps, 'exit 1'];
    const { runId } = await system.change(SHOP, 'three packages', {
      ...SHOP_REPOSITORY,
      'delta.yaml': CONFIG,
      'packages/money/rates.txt': '1\n',
      'packages/greeting/package.json': `${JSON.stringify(GREETING, null, 2)}\n`,
      'packages/greeting/test.sh': `${script.join('\n')}\n`,
    });
    first = await system.settled(runId);
  }, 120_000);

  afterAll(async () => system.finish(), 120_000);

  const delta = async (...args: readonly string[]): Promise<{ code: number; output: string }> => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      DELTA_DATABASE_URL: await readFile(join(system.mesh.directory, 'reader-url'), 'utf8'),
      DELTA_ARTIFACT_DIR: join(system.mesh.directory, 'artifacts'),
    };
    return promisify(execFile)(process.execPath, [DELTA, ...args], { cwd: system.mesh.directory, env }).then(
      ({ stdout }) => ({ code: 0, output: stdout }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        output: error.stdout + error.stderr,
      }),
    );
  };

  it('given a repository nobody saw before, then nothing is left out, and nothing is a shadow', () => {
    expect(first.outcome).toBe('succeeded');
    expect(first.jobs.map(({ shadow }) => shadow)).toEqual([false, false, false]);
  });

  it('given documents that change, then all that is left out runs as shadows, and the gate is green without them', async () => {
    const { runId } = await system.change(SHOP, 'say more', { 'README.md': '# Shop\n\nOpen on Sundays.\n' });
    const view = await system.settled(runId);
    expect(view).toMatchObject({ outcome: 'succeeded', reported: true });
    expect(view.jobs.map(({ key, shadow, required, outcome }) => [key, shadow, required, outcome])).toEqual([
      ['shadow-test-packages-cart', true, false, 'succeeded'],
      ['shadow-test-packages-greeting', true, false, 'succeeded'],
      ['shadow-test-packages-money', true, false, 'succeeded'],
    ]);
    expect(view.skipped).toHaveLength(3);
    expect(view.jobs[0]?.sentence).toMatch(/^test packages\/cart runs as a shadow, which decides nothing/);
  }, 120_000);

  let escaped: PushedChange;
  let after: PushedChange;
  it('given a failure that selection misses, then the gate does not wait for it, the run succeeds, and it is tried twice', async () => {
    escaped = await system.change(SHOP, 'other rates', { 'packages/money/rates.txt': '2\n' });
    const { runId, commit } = escaped;
    const waiting = await system.jobRuns(runId, 'shadow-test-packages-greeting');
    expect(waiting.outcome).toBeNull();
    await eventually('the gate is green', () => system.gate(SHOP, commit.after)?.conclusion === 'success');
    expect((await system.api.run(runId)).state).toBe('running');
    released();
    const view = await system.settled(runId);
    expect(view.outcome).toBe('succeeded');
    expect(view.reason).toContain('shadow-test-packages-greeting');
    const shadow = jobOf(view, 'shadow-test-packages-greeting');
    expect(shadow?.outcome).toBe('failed');
    expect(shadow?.attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
    expect(system.gate(SHOP, commit.after)).toMatchObject({ status: 'completed', conclusion: 'success' });
    expect(system.checks(SHOP, commit.after).filter(({ name }) => name.includes('shadow'))).toEqual([]);
  }, 120_000);

  it('given that escape, when the next change comes, then the optimisation is off, says so, and what it left out counts', async () => {
    after = await system.change(SHOP, 'still other rates', { 'packages/money/rates.txt': '3\n' });
    const { runId } = after;
    const view = await system.settled(runId);
    expect(view.outcome).toBe('failed');
    const greeting = jobOf(view, 'test-packages-greeting');
    expect(greeting).toMatchObject({ shadow: false, required: true, outcome: 'failed' });
    expect(greeting?.sentence).toContain('the optimisation ownership has switched itself off');
    const { plan } = await system.api.plan(runId);
    expect(plan.shadow).toMatchObject({ off: ['ownership'], sample: 'taken' });
    expect(plan.notes.map(({ code }) => code)).toContain('optimisation_off');
  }, 120_000);

  it('given all that, when the ledger is asked for, then it shows the escape, and plans are made again from what was known', async () => {
    const ledger = await delta('ledger', first.repository.id);
    expect(ledger.output).toMatch(/^ownership +\d+ +\d+ +[12] +0 +\S+ % +\S+ +off$/m);
    expect(ledger.output).toMatch(/^documentation +1 +0 +0 +0 +.* on, \d+ more to judge$/m);
    expect(ledger.output).toContain(`in ${escaped.runId}: shadow-test-packages-greeting\n`);
    for (const { runId } of [escaped, after]) {
      const replay = await delta('replay', runId);
      expect([replay.output, replay.code]).toEqual([expect.stringContaining('plan'), 0]);
    }
  }, 120_000);
});
