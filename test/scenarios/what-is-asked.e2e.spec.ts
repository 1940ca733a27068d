import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pullRequestDelivery, pushDelivery, type Delivery } from '../support/fake-forge/webhook-deliveries.ts';
import type { Commit } from '../support/git-server/bare-repository.ts';
import { eventually } from '../support/infra/index.ts';
import { configWith, startTestMesh, type TestMesh } from '../support/mesh/index.ts';

const PLAIN = 'demo/plain';

/** What a mesh does with deliveries and requests that are wrong, repeated, or taken back. */
describe('what the mesh is asked', () => {
  let system: TestMesh;
  let cutOff: string;

  beforeAll(async () => {
    system = await startTestMesh({ repositories: [PLAIN] });
    await system.push(PLAIN, 'configure', { 'delta.yaml': configWith({ quick: { steps: ['true'] } }) });
    cutOff = await system.api.createRun({ repository: 'github/cut/off', ref: 'refs/heads/main', head: 'a'.repeat(40) });
  }, 120_000);

  afterAll(async () => {
    await system.finish();
  }, 120_000);

  const pushOf = async (message: string): Promise<Delivery> =>
    pushDelivery(PLAIN, system.forge.cloneUrl(PLAIN), await system.push(PLAIN, message, { 'notes.txt': message }));

  it('given a signature of somebody else, when it is delivered, then it is refused and nothing is recorded', async () => {
    const delivery = await pushOf('a forged one');
    const answer = await system.deliver(delivery, 'fake-secret-of-somebody-else');
    expect(answer).toMatchObject({ status: 401, body: { error: { code: 'invalid_signature' } } });
    expect(await system.ask('SELECT 1 FROM delivery WHERE delivery_id = $1', [delivery.id])).toEqual([]);
  });

  it('given a repository nobody configured, when it is delivered, then it is refused by name', async () => {
    const { commit } = await commitOf(system, 'elsewhere');
    const answer = await system.deliver(pushDelivery('somebody/else', 'http://127.0.0.1:9/somebody/else.git', commit));
    expect(answer).toMatchObject({ status: 404, body: { error: { code: 'unknown_repository' } } });
  });

  it('given one delivery sent five times at once, when it is answered, then every answer names the same run', async () => {
    const delivery = await pushOf('an eager one');
    const answers = await Promise.all(Array.from({ length: 5 }, async () => system.deliver(delivery)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => (body as { runId: string }).runId)).size).toBe(1);
    const view = await system.settled(await system.runFor(delivery));
    expect(view.outcome).toBe('succeeded');
  });

  it('given the same delivery id with another content, when it is delivered, then the repeat is refused', async () => {
    const [first, second] = [await pushOf('one'), await pushOf('another')];
    const runId = await system.runFor(first);
    const answer = await system.deliver({ ...second, id: first.id });
    expect(answer).toMatchObject({ status: 409, body: { error: { code: 'conflicting_repeat' } } });
    await system.settled(runId);
  });

  it('given a repository that the forge does not have, when it is planned, then the run fails by that name', async () => {
    const { commit } = await commitOf(system, 'gone');
    const url = system.forge.cloneUrl('gone/away');
    const view = await system.settled(await system.runFor(pushDelivery('gone/away', url, commit)));
    expect(view).toMatchObject({ outcome: 'failed', planning: { code: 'repository_not_found' } });
    expect(system.gate('gone/away', commit.after)).toMatchObject({ conclusion: 'failure' });
  });

  it('given a running job, when its run is canceled, then it stops, its log is kept, and nothing else starts', async () => {
    const held = system.hold('canceled');
    const files = {
      'delta.yaml': configWith({
        first: { steps: ['echo "the part before"', ...held.steps] },
        second: { needs: ['first'], steps: ['true'] },
      }),
    };
    const { runId, commit } = await system.change(PLAIN, 'to be canceled', files, 'canceled');
    await eventually('the job has said something', async () =>
      /^the part before$/m.test(await system.api.log(runId, 'first')),
    );
    await system.api.cancel(runId, 'nobody needs it');
    const view = await system.settled(runId);
    expect(view.outcome).toBe('canceled');
    expect(view.jobs.map(({ key, outcome, attempts }) => [key, outcome, attempts.length])).toEqual([
      ['first', 'canceled', 1],
      ['second', expect.stringMatching(/^(canceled|skipped)$/), 0],
    ]);
    // The runner acknowledged: its report is there, and it was not only given up on.
    expect(view.jobs[0]?.attempts[0]).toMatchObject({ outcome: 'canceled', report: { outcome: 'canceled' } });
    const log = await system.api.log(runId, 'first');
    expect(log).toContain('the part before');
    expect(log).not.toMatch(/^released$/m);
    expect(system.gate(PLAIN, commit.after)).toMatchObject({ status: 'completed', conclusion: 'cancelled' });
    await expect(system.api.cancel(runId, 'again')).rejects.toMatchObject({ status: 409, code: 'not_cancelable' });
  });

  it('given a pull request, when a newer head arrives, then the run of the older one is superseded', async () => {
    const held = system.hold('superseded');
    const config = configWith({ only: { steps: [...held.steps] } });
    const base = await system.push(PLAIN, 'base', { 'base.txt': 'base\n' });
    const older = await system.push(PLAIN, 'older', { 'delta.yaml': config, 'code.txt': '1' }, 'feature');
    const olderRun = await system.runFor(pullRequest(system, 3, 'opened', older, base));
    await system.jobRuns(olderRun, 'only');
    const newer = await system.push(PLAIN, 'newer', { 'code.txt': '2' }, 'feature');
    const newerRun = await system.runFor(pullRequest(system, 3, 'synchronize', newer, base));
    const superseded = await system.settled(olderRun);
    expect(superseded).toMatchObject({ outcome: 'canceled', supersededBy: newerRun });
    expect(system.gate(PLAIN, older.after)).toMatchObject({ status: 'completed', conclusion: 'cancelled' });
    held.release();
    expect(await system.settled(newerRun)).toMatchObject({ outcome: 'succeeded', supersededBy: null });
    expect(system.gate(PLAIN, newer.after)).toMatchObject({ conclusion: 'success' });
  });

  it('given a host where nobody answers, when it is planned, then it is tried again and then fails by name', async () => {
    const view = await system.settled(cutOff);
    expect(view).toMatchObject({ outcome: 'failed', planning: { code: 'repository_unreachable' } });
  });
});

async function commitOf(system: TestMesh, message: string): Promise<{ commit: Commit }> {
  return { commit: await system.push(PLAIN, message, { 'notes.txt': message }) };
}

function pullRequest(system: TestMesh, number: number, action: string, head: Commit, base: Commit): Delivery {
  return pullRequestDelivery(PLAIN, system.forge.cloneUrl(PLAIN), {
    number,
    action,
    title: 'a feature',
    head: { sha: head.after, ref: 'feature', fullName: PLAIN },
    base: { sha: base.after, ref: 'main' },
    association: 'MEMBER',
    sender: 'octocat',
  });
}
