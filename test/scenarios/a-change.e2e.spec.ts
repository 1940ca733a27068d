import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BREAKING_CHANGE, SHOP_REPOSITORY, SOUND_CHANGE } from '../../tools/start/demo/shop-repository.ts';
import { pullRequestDelivery } from '../support/fake-forge/webhook-deliveries.ts';
import { eventually } from '../support/infra/index.ts';
import { configWith, startTestMesh, type PushedChange, type TestMesh } from '../support/mesh/index.ts';

const SHOP = 'demo/shop';
const PLAIN = 'demo/plain';

/** From a push to the forge's check, with nothing in between that is not the product. */
describe('a change', () => {
  let system: TestMesh;
  let baseline: PushedChange;

  beforeAll(async () => {
    system = await startTestMesh({ repositories: [SHOP, PLAIN] });
    baseline = await system.change(SHOP, 'three packages', SHOP_REPOSITORY);
  }, 120_000);

  afterAll(async () => {
    await system.finish();
  }, 120_000);

  it('given a repository nobody saw before, when it is pushed, then all of it is tested and the gate succeeds', async () => {
    const view = await system.settled(baseline.runId);
    expect(view).toMatchObject({ outcome: 'succeeded', reported: true });
    expect(view.jobs.filter(({ kind }) => kind === 'test').map(({ unit }) => unit?.split('/').at(-1))).toEqual([
      'cart',
      'greeting',
      'money',
    ]);
    expect(system.gate(SHOP, baseline.commit.after)).toMatchObject({ status: 'completed', conclusion: 'success' });
  });

  it('given a run, when its events are read, then one trace leads from the webhook to the publication', async () => {
    await system.settled(baseline.runId);
    const events = await system.ask<{ type: string; trace: string | null }>(
      `SELECT type, split_part(canonical::json ->> 'traceparent', '-', 2) AS trace FROM event WHERE correlation = $1`,
      [baseline.runId],
    );
    const types = events.map(({ type }) => type);
    for (const type of ['run.created', 'run.planned', 'lease.granted', 'attempt.finished', 'publication.recorded']) {
      expect(types).toContain(type);
    }
    const traces = new Set(events.map(({ trace }) => trace));
    expect([...traces]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  it('given a sound change of one package, when it is pushed, then only what depends on it runs, with the reasons', async () => {
    const { runId, commit } = await system.change(SHOP, SOUND_CHANGE.message, SOUND_CHANGE.files);
    const view = await system.settled(runId);
    expect(view.outcome).toBe('succeeded');
    expect(view.jobs.filter(({ kind }) => kind === 'test').map(({ key }) => key)).toEqual([
      'test-packages-cart',
      'test-packages-money',
    ]);
    expect(view.skipped.map(({ key }) => key)).toEqual(['test-packages-greeting']);
    expect(view.jobs.map(({ sentence }) => sentence)).not.toContain('');
    expect(system.gate(SHOP, commit.after)).toMatchObject({ conclusion: 'success' });
  });

  it('given a change that breaks a test of another package, when it ran, then the failure is explained and published', async () => {
    const { runId, commit } = await system.change(SHOP, BREAKING_CHANGE.message, BREAKING_CHANGE.files);
    const view = await system.settled(runId);
    expect(view.outcome).toBe('failed');
    const failed = view.jobs.filter(({ outcome }) => outcome === 'failed').map(({ key }) => key);
    expect(failed).toContain('test-packages-cart');
    const explanation = view.jobs.find(({ key }) => key === 'test-packages-cart')?.attempts.at(-1)?.explanation;
    expect(explanation).toMatchObject({ class: 'user', category: 'test' });
    expect(explanation?.sentences.length).toBeGreaterThan(0);
    expect(await system.api.log(runId, 'test-packages-cart')).toContain('an empty cart costs nothing');
    expect(system.gate(SHOP, commit.after)).toMatchObject({ status: 'completed', conclusion: 'failure' });
    await eventually('the job has its check with the explanation', () =>
      system
        .checks(SHOP, commit.after)
        .some(({ conclusion, output }) => conclusion === 'failure' && JSON.stringify(output).includes('cart')),
    );
    await rerunsOnlyWhatFailed(system, runId, failed);
  });

  it('given a change of documents alone, when it is pushed, then no job runs and the gate succeeds', async () => {
    await system.settled(baseline.runId);
    const { runId, commit } = await system.change(SHOP, 'say more', { 'README.md': '# Shop\n\nOpen on Sundays.\n' });
    const view = await system.settled(runId);
    expect(view.jobs).toEqual([]);
    expect(view.outcome).toBe('succeeded');
    expect(view.skipped.length).toBe(3);
    expect(system.gate(SHOP, commit.after)).toMatchObject({ conclusion: 'success' });
  });

  it('given a delta.yaml with a mistake, when it is pushed, then the run fails and the forge shows line and column', async () => {
    const files = { 'delta.yaml': 'version: 1\njobs:\n  unit:\n    stepz: [make test]\n' };
    const { runId, commit } = await system.change(PLAIN, 'configure', files, 'misconfigured');
    const view = await system.settled(runId);
    expect(view).toMatchObject({ outcome: 'failed', jobs: [], planning: { code: 'invalid_config' } });
    expect(view.planning?.message).toContain('delta.yaml:4:5');
    const gate = system.gate(PLAIN, commit.after);
    expect(gate).toMatchObject({ conclusion: 'failure' });
    expect(JSON.stringify(gate?.output)).toContain('delta.yaml:4:5');
  });

  it('given a pull request from a fork, when it runs, then in a sandbox, without secrets and without the network', async () => {
    const config = configWith({
      look: {
        secrets: ['DEPLOY_KEY'],
        steps: [
          'echo "user $(id -u), processes $(ls /proc | grep -c "^[0-9]")"',
          'if env | grep -q DEPLOY_KEY; then echo "a secret is here"; exit 1; fi',
          'if [ -r /etc/shadow ] && grep -q . /etc/shadow; then echo "the host is visible"; exit 1; fi',
          'if [ "$(grep -c : /proc/net/dev)" -gt 1 ]; then echo "there is a network"; exit 1; fi',
        ],
      },
    });
    const base = await system.push(PLAIN, 'trunk', { 'trunk.txt': 'trunk\n' });
    const head = await system.push(PLAIN, 'from a stranger', { 'delta.yaml': config }, 'fork');
    const runId = await system.runFor(
      pullRequestDelivery(PLAIN, system.forge.cloneUrl(PLAIN), {
        number: 7,
        action: 'opened',
        title: 'a gift',
        head: { sha: head.after, ref: 'patch-1', fullName: 'stranger/plain' },
        base: { sha: base.after, ref: 'main' },
        association: 'NONE',
        sender: 'stranger',
      }),
    );
    const view = await system.settled(runId);
    expect(view.change.trust).toBe('untrusted');
    expect(view.jobs.map(({ key, outcome }) => [key, outcome])).toEqual([['look', 'succeeded']]);
    expect(await system.api.log(runId, 'look')).toMatch(/user [1-9]\d*, processes \d\b/);
    const { plan } = await system.api.plan(runId);
    expect(plan.trust).toBe('untrusted');
    for (const job of plan.jobs) {
      expect(job.requirements.isolation).toBe('sandbox');
      expect(job.secrets).toEqual([]);
    }
  });
});

async function rerunsOnlyWhatFailed(system: TestMesh, runId: string, failed: readonly string[]): Promise<void> {
  const again = await system.settled(await system.api.rerun(runId, 'failed'));
  expect(again.rerun).toMatchObject({ of: runId, only: 'failed' });
  expect(again.jobs.filter(({ key }) => key.startsWith('test-')).map(({ key }) => key)).toEqual(
    failed.filter((key) => key.startsWith('test-')),
  );
  expect(again.outcome).toBe('failed');
}
