import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '@delta-ci/artifact-store';
import { canonicalJson, explainSubject, type Plan } from '@delta-ci/contracts';
import { SHOP_REPOSITORY, SOUND_CHANGE } from '../../../tools/start/demo/shop-repository.ts';
import { inputsFromRecord, planChange, type RecordedInputs } from '@delta-ci/planning';
import { RunningPlanner, type PlannerReport } from './running-planner.fixture.ts';

/** Events in, reports out, with a real repository served over HTTP and a real bus between. */
describe('the planner between log and orchestrator', () => {
  let planner: RunningPlanner;
  let first: string;
  let second: string;

  beforeAll(async () => {
    planner = await RunningPlanner.start();
    first = (await planner.developer.push('main', 'shop', SHOP_REPOSITORY)).after;
    second = (await planner.developer.push('main', SOUND_CHANGE.message, SOUND_CHANGE.files)).after;
  });

  afterAll(async () => planner.stop());

  /** The plan that what was kept of its inputs makes, without any of the planner's memory. */
  async function madeAgain(report: PlannerReport): Promise<Plan> {
    if (report.kind !== 'planner.plan-proposed' || report.data.inputsDigest === null) throw new Error(report.kind);
    const kept = await planner.store.content.read(report.data.inputsDigest, 10_000_000);
    const recorded = JSON.parse(zstdDecompressSync(kept).toString('utf8')) as RecordedInputs;
    const again = planChange(inputsFromRecord(recorded, null));
    if (!again.ok) throw new Error(again.message);
    return again.plan;
  }

  it('given a push, when its run is created, then the plan tests what the change reaches and nothing else', async () => {
    const report = await planner.reportOn(await planner.create(1, { base: first, head: second }));
    const plan = proposed(report);
    expect(plan.jobs.map(({ key }) => key)).toEqual(['test-packages-cart', 'test-packages-money']);
    expect(plan.skipped.map(({ key }) => key)).toEqual(['test-packages-greeting']);
    expect(plan).toMatchObject({ commit: second, comparedWith: first });
    expect(explainSubject(plan, 'test-packages-cart')?.explanation.sentence).toContain(
      'packages/cart depends on packages/money',
    );
  });

  it('given a plan, when it is reported, then its canonical text is kept under the digest it is reported with', async () => {
    const report = await planner.reportOn(await planner.create(2, { base: first, head: second }));
    const plan = proposed(report);
    if (report.kind !== 'planner.plan-proposed') throw new Error(report.kind);
    const kept = await planner.store.content.read(report.data.digest, 10_000_000);
    expect(Buffer.from(kept).toString('utf8')).toBe(canonicalJson(plan));
  });

  it('given a plan, when it is reported, then what it was made of is kept, and makes the same plan again', async () => {
    const report = await planner.reportOn(await planner.create(11, { base: first, head: second }));
    expect(await madeAgain(report)).toEqual(proposed(report));
  });

  it('given a change that was planned under another ref, when it is planned, then the plan is what a fresh one would be', async () => {
    const change = { base: first, head: second, title: 'first', author: 'ada' };
    await planner.reportOn(await planner.create(12, change));
    const again = { ...change, ref: 'refs/heads/release', title: 'second', author: 'grace' };
    const report = await planner.reportOn(await planner.create(13, again));
    const plan = proposed(report);
    expect(plan.change).toMatchObject({ ref: 'refs/heads/release', title: 'second', author: 'grace' });
    expect(report.data).toMatchObject({ digest: digestOf(canonicalJson(plan)) });
    expect(canonicalJson(plan)).toBe(canonicalJson(await madeAgain(report)));
  });

  it('given the very same change again, when it is planned, then plan and inputs are those of before, and are stored', async () => {
    const change = { base: first, head: second, title: 'twice' };
    const before = await planner.reportOn(await planner.create(14, change));
    if (before.kind !== 'planner.plan-proposed') throw new Error(before.kind);
    const { digest, inputsDigest } = before.data;
    const again = await planner.reportOn(await planner.create(15, change));
    expect(again.data).toMatchObject({ digest, inputsDigest });
    await planner.forget(digest);
    const restored = await planner.reportOn(await planner.create(16, change));
    expect(restored.data).toMatchObject({ digest, inputsDigest });
    expect(await planner.store.content.size(digest)).not.toBeNull();
  });

  it('given the first push of a repository, when it is planned, then everything runs and says why', async () => {
    const plan = proposed(await planner.reportOn(await planner.create(3, { head: first, ref: 'refs/heads/main' })));
    expect(plan.jobs).toHaveLength(3);
    expect(plan.skipped).toEqual([]);
    expect(plan.comparedWith).toBeNull();
    expect(plan.jobs[0]?.explanation.sentence).toContain('there is no earlier commit');
  });

  it('given a new branch, when it is planned, then it is compared with where it left the default branch', async () => {
    const pushed = await planner.developer.push('feature', 'greet louder', {
      'packages/greeting/src/index.js': 'export const greet = (name) => `HELLO, ${name}!`;\n',
    });
    const plan = proposed(await planner.reportOn(await planner.create(4, { head: pushed.after, ref: pushed.ref })));
    expect(plan.jobs.map(({ key }) => key)).toEqual(['test-packages-greeting']);
    expect(plan.comparedWith).toBe(second);
  });

  it('given a rerun of one job, when it is planned, then the earlier plan is taken up and only that job runs', async () => {
    const earlier = await planner.reportOn(await planner.create(5, { base: first, head: second }));
    if (earlier.kind !== 'planner.plan-proposed') throw new Error(earlier.kind);
    const rerun = {
      of: earlier.data.runId,
      only: 'failed' as const,
      planDigest: earlier.data.digest,
      jobs: ['test-packages-cart'],
    };
    const plan = proposed(await planner.reportOn(await planner.create(6, { base: first, head: second }, rerun)));
    expect(plan.source.kind).toBe('rerun');
    expect(plan.jobs.map(({ key }) => key)).toEqual(['test-packages-cart']);
    expect(plan.jobs[0]?.explanation.sentence).toContain('runs again because it did not succeed');
  });

  it('given a commit nobody has, when it is planned, then the failure has a name', async () => {
    const report = await planner.reportOn(await planner.create(7, { head: 'd'.repeat(40) }));
    expect(report).toMatchObject({
      kind: 'planner.planning-failed',
      data: { code: 'commit_not_found', inputsDigest: null },
    });
  });

  it('given a broken delta.yaml, when it is planned, then planning fails with the place', async () => {
    const pushed = await planner.developer.push('configured', 'configure', {
      'delta.yaml': 'version: 1\njobs:\n  unit:\n    stepz: [npm test]\n',
    });
    const report = await planner.reportOn(await planner.create(8, { head: pushed.after, ref: pushed.ref }));
    const inputsDigest: unknown = expect.stringMatching(/^sha256:/);
    expect(report).toMatchObject({ kind: 'planner.planning-failed', data: { code: 'invalid_config', inputsDigest } });
    expect(report.data).toHaveProperty('message', expect.stringContaining('delta.yaml:4:5: unknown key "stepz"'));
  });

  it('given a traced event, when it is planned, then the report belongs to the same trace', async () => {
    const report = await planner.reportOn(await planner.create(10, { base: first, head: second }));
    expect(report.traceparent).toMatch(new RegExp(`^00-${'a'.repeat(32)}-[0-9a-f]{16}-0[01]$`, 'u'));
  });
});

function proposed(report: PlannerReport): Plan {
  if (report.kind !== 'planner.plan-proposed' || report.data.plan === null)
    throw new Error(JSON.stringify(report.data));
  return report.data.plan;
}
