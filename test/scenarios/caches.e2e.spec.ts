import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CachePage, CacheResult, DomainEventOf, RunView } from '@delta-ci/contracts';
import { pullRequestDelivery } from '../support/fake-forge/webhook-deliveries.ts';
import { configWith, QUICK, startTestMesh, type TestMesh } from '../support/mesh/index.ts';

const SHOP = 'demo/shop';

/** Says whether what an earlier job left is there, and leaves it: in the home of the job and in its workspace. */
const JOBS = {
  keep: {
    caches: [{ type: 'deps', key: 'kept-{hash:lock}', paths: ['~/.kept', 'made'] }],
    steps: [
      'cat ~/.kept/from made/from 2> /dev/null || echo "nothing was there"',
      'mkdir -p ~/.kept made; echo "left in the home by $DELTA_RUN_ID" > ~/.kept/from',
      'head -c 20000000 /dev/urandom > made/large; echo "left in the workspace" > made/from; ln -sf from made/link',
    ],
  },
};

/** What jobs leave for later ones, and for whom, on the real thing from one end to the other. */
describe('caches', () => {
  let system: TestMesh;
  let first: RunView;
  const byLock = (lock: string) => ({ lock, 'delta.yaml': configWith(JOBS) });

  beforeAll(async () => {
    system = await startTestMesh({ repositories: [SHOP], env: QUICK });
    const { runId } = await system.change(SHOP, 'first', byLock('one'));
    first = await system.settled(runId);
  }, 120_000);
  afterAll(async () => system.finish(), 120_000);

  const resultOf = (view: RunView): CacheResult | undefined => view.jobs[0]?.attempts[0]?.report?.caches[0];
  const logOf = async (runId: string) => system.api.log(runId, 'keep');
  const savedBy = async (runId: string) => {
    const rows = await system.ask<{ data: DomainEventOf<'cache.saved'>['data'] }>(
      `SELECT canonical::json -> 'data' AS data FROM event WHERE correlation = $1 AND type = 'cache.saved'`,
      [runId],
    );
    return rows.map(({ data }) => data);
  };
  const mainAgain = async (title: string, lock: string): Promise<RunView> => {
    const { runId } = await system.change(SHOP, title, { ...byLock(lock), [`${title}.txt`]: title });
    return system.settled(runId);
  };
  const pullRequest = async (number: number, lock: string, stranger: boolean): Promise<RunView> => {
    const base = await system.push(SHOP, `base of ${number}`, byLock('one'));
    const changes = { lock, [`of-${number}.txt`]: 'mine\n' };
    const head = await system.push(SHOP, `change ${number}`, changes, `change-${number}`);
    const runId = await system.runFor(
      pullRequestDelivery(SHOP, system.forge.cloneUrl(SHOP), {
        number,
        action: 'opened',
        title: `change ${number}`,
        head: { sha: head.after, ref: `change-${number}`, fullName: stranger ? 'stranger/shop' : SHOP },
        base: { sha: base.after, ref: 'main' },
        association: stranger ? 'NONE' : 'MEMBER',
        sender: stranger ? 'stranger' : 'developer',
      }),
    );
    return system.settled(runId);
  };

  it('given nothing is kept, then the job runs without, and what it left is saved, in the log and in the view', async () => {
    expect([first.outcome, await logOf(first.runId)]).toEqual([
      'succeeded',
      expect.stringMatching(/nothing was there[^]*\[delta\] cache kept-\S+: saved 19\.\d MiB/),
    ]);
    const [saved] = await savedBy(first.runId);
    expect(saved).toMatchObject({ jobKey: 'keep', attempt: 1, repository: `github/${SHOP}`, domain: 'trusted' });
    expect(saved?.cache.content).toMatchObject({ home: [{}], workspace: [{}, {}] });
    expect(resultOf(first)).toEqual({
      key: saved?.cache.key,
      hit: false,
      saved: {
        domain: 'trusted',
        sizeBytes: saved?.cache.sizeBytes,
        contentBytes: saved?.cache.contentBytes,
        tookMs: expect.any(Number),
      },
    });
  });

  it('given it is kept, then the next job has it before its first step, and saves nothing', async () => {
    const view = await mainAgain('second', 'one');
    expect([view.outcome, await logOf(view.runId)]).toEqual([
      'succeeded',
      expect.stringContaining(`left in the home by ${first.runId}\nleft in the workspace\n`),
    ]);
    expect(resultOf(view)).toMatchObject({ hit: true, restored: { domain: 'trusted' } });
    expect(await savedBy(view.runId)).toEqual([]);
  });

  it('given a change of a stranger, then it reads what the default branch left, and what it would leave is not kept', async () => {
    const reads = await pullRequest(7, 'one', true);
    expect([reads.change.trust, resultOf(reads)]).toMatchObject(['untrusted', { hit: true }]);
    const wouldSave = await pullRequest(8, 'two', true);
    expect([wouldSave.outcome, resultOf(wouldSave)]).toEqual([
      'succeeded',
      { key: expect.stringMatching(/^kept-/), hit: false },
    ]);
    expect([...(await savedBy(reads.runId)), ...(await savedBy(wouldSave.runId))]).toEqual([]);
    // Whoever is trusted and asks under the same key gets nothing of the stranger's.
    const trusted = await mainAgain('third', 'two');
    expect(resultOf(trusted)).toMatchObject({
      key: resultOf(wouldSave)?.key,
      hit: false,
      saved: { domain: 'trusted' },
    });
  });

  it('given a pull request of the repository, then what it saves is for itself alone', async () => {
    const view = await pullRequest(9, 'three', false);
    const own = expect.stringMatching(/^ref:refs\/pull\/9\//);
    expect([view.change.trust, resultOf(view)]).toMatchObject(['trusted', { hit: false, saved: { domain: own } }]);
    const again = await system.settled(await system.api.rerun(view.runId, 'all'));
    expect(resultOf(again)).toMatchObject({ hit: true, restored: { domain: own } });
    const other = await pullRequest(10, 'three', false);
    expect(resultOf(other)).toMatchObject({ hit: false });
    expect(resultOf(await mainAgain('fourth', 'three'))).toMatchObject({ hit: false, saved: { domain: 'trusted' } });
  });

  it('given the store gives something else than was saved, then that is told, the job passes, and saves it anew', async () => {
    for (const file of filesBelow(join(system.mesh.directory, 'artifacts', 'caches')))
      truncateSync(file, statSync(file).size - 1);
    const view = await mainAgain('fifth', 'one');
    expect([view.outcome, resultOf(view)]).toMatchObject([
      'succeeded',
      { hit: false, problems: [{ during: 'restore', code: 'damaged' }], saved: { domain: 'trusted' } },
    ]);
    expect(await logOf(view.runId)).toMatch(/\[delta\] cache kept-\S+ could not be restored: [^]*nothing was there/);
    const removed = await system.ask<{ data: DomainEventOf<'cache.removed'>['data'] }>(
      `SELECT canonical::json -> 'data' AS data FROM event WHERE type = 'cache.removed' ORDER BY position`,
    );
    expect(removed.map(({ data }) => [data.because, data.caches[0]?.runId])).toEqual([['damaged', first.runId]]);
    expect(resultOf(await mainAgain('sixth', 'one'))).toMatchObject({ hit: true });
  });

  it('given an operator removes what is kept under a key, then it is gone from the list and for jobs', async () => {
    const key = resultOf(first)?.key ?? '';
    const call = async (path: string, init: RequestInit = {}) =>
      fetch(`${system.mesh.gatewayUrl}/api/v1/caches${path}`, {
        ...init,
        headers: { authorization: `Bearer ${system.mesh.adminToken}`, 'content-type': 'application/json' },
      });
    const listed = async () => (await (await call(`?repository=github/${SHOP}`)).json()) as CachePage;
    expect((await listed()).caches.map((cache) => [cache.key, cache.domain])).toContainEqual([key, 'trusted']);
    const wanted = { repository: `github/${SHOP}`, key, reason: 'it is of no use' };
    expect((await call('/remove', { method: 'POST', body: JSON.stringify(wanted) })).status).toBe(200);
    expect((await listed()).caches.map((cache) => cache.key)).not.toContain(key);
    expect((await call('/remove', { method: 'POST', body: JSON.stringify(wanted) })).status).toBe(404);
    expect(resultOf(await mainAgain('eighth', 'one'))).toMatchObject({ hit: false, saved: {} });
  });
});

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
