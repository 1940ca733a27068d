import { pullRequestDelivery, pushDelivery } from '../support/fake-forge/webhook-deliveries.ts';
import { configWith, type TestMesh } from '../support/mesh/index.ts';

/** The repository whose runs are recorded. */
export const RECORDED_REPOSITORY = 'demo/recorded';

/** One kind of run: told from push to settled. Answers the runs it led to. */
export type Story = (system: TestMesh) => Promise<string[]>;

/** What happens to runs, one story for each kind. Told one after the other, so that a log of them stays easy to read. */
export const STORIES: Readonly<Record<string, Story>> = {
  'a run succeeds': async (system) => {
    const jobs = { build: { steps: ['echo built'] }, unit: { needs: ['build'], steps: ['echo tested'] } };
    return [await settledChange(system, 'succeeds', jobs)];
  },
  'a run fails, and what failed runs again': async (system) => {
    const jobs = {
      sound: { steps: ['true'] },
      broken: { steps: ['echo "expected 1, received 2"; exit 3'], policy: { required: false } },
      after: { needs: ['broken'], steps: ['true'] },
    };
    const runId = await settledChange(system, 'fails', jobs, { fail_fast: false });
    const again = await system.api.rerun(runId, 'failed');
    await system.settled(again);
    return [runId, again];
  },
  "a failure that is nobody's fault is tried again": async (system) => {
    const jobs = { killed: { steps: ['kill -KILL $$'], policy: { retries: 1 } } };
    return [await settledChange(system, 'is-killed', jobs)];
  },
  'the first failure ends a run': async (system) => {
    const held = system.hold('ends-early');
    const jobs = {
      failing: { steps: ['exit 1'] },
      slow: { steps: [...held.steps] },
      last: { needs: ['slow'], steps: ['true'] },
    };
    const { runId } = await system.change(RECORDED_REPOSITORY, 'ends early', filesOf(jobs), 'ends-early');
    await system.runWhen('has failed fast', runId, ({ jobs: seen }) =>
      seen.some(({ outcome }) => outcome === 'failed'),
    );
    held.release();
    await system.settled(runId);
    return [runId];
  },
  'a run is canceled': async (system) => {
    const held = system.hold('is-canceled');
    const jobs = { first: { steps: [...held.steps] }, second: { needs: ['first'], steps: ['true'] } };
    const { runId } = await system.change(RECORDED_REPOSITORY, 'is canceled', filesOf(jobs), 'is-canceled');
    await system.jobRuns(runId, 'first');
    await system.api.cancel(runId, 'nobody needs it');
    await system.settled(runId);
    return [runId];
  },
  'a newer head supersedes a run': async (system) => {
    const held = system.hold('is-superseded');
    const base = await system.push(RECORDED_REPOSITORY, 'base', { 'base.txt': 'base\n' });
    const files = filesOf({ only: { steps: [...held.steps] } });
    const older = await system.push(RECORDED_REPOSITORY, 'older', { ...files, 'code.txt': '1' }, 'feature');
    const pull = (action: string, head: typeof older) =>
      pullRequestDelivery(RECORDED_REPOSITORY, system.forge.cloneUrl(RECORDED_REPOSITORY), {
        number: 3,
        action,
        title: 'a feature',
        head: { sha: head.after, ref: 'feature', fullName: RECORDED_REPOSITORY },
        base: { sha: base.after, ref: 'main' },
        association: 'MEMBER',
        sender: 'octocat',
      });
    const olderRun = await system.runFor(pull('opened', older));
    await system.jobRuns(olderRun, 'only');
    const newer = await system.push(RECORDED_REPOSITORY, 'newer', { 'code.txt': '2' }, 'feature');
    const newerRun = await system.runFor(pull('synchronize', newer));
    await system.settled(olderRun);
    held.release();
    await system.settled(newerRun);
    return [olderRun, newerRun];
  },
  'a runner is lost': async (system) => {
    const held = system.hold('is-lost');
    const jobs = { slow: { steps: [...held.steps] } };
    const { runId } = await system.change(RECORDED_REPOSITORY, 'is lost', filesOf(jobs), 'is-lost');
    await system.jobRuns(runId, 'slow');
    process.kill((await system.runnerOf(runId, 'slow')).pid, 'SIGKILL');
    held.release();
    await system.settled(runId);
    return [runId];
  },
  'a delivery leads to no run': async (system) => {
    const jobs = { unit: { steps: ['true'] } };
    const runId = await settledChange(system, 'is-deleted', jobs);
    const url = system.forge.cloneUrl(RECORDED_REPOSITORY);
    const [before, after] = ['a'.repeat(40), '0'.repeat(40)];
    const deletion = { ref: 'refs/heads/is-deleted', before, after, message: 'is deleted' };
    await system.deliver(pushDelivery(RECORDED_REPOSITORY, url, deletion));
    return [runId];
  },
  'a run has no plan': async (system) => {
    const files = { 'delta.yaml': 'version: 1\njobs:\n  unit:\n    stepz: [make test]\n' };
    const { runId } = await system.change(RECORDED_REPOSITORY, 'configure', files, 'misconfigured');
    await system.settled(runId);
    return [runId];
  },
  'a change needs no job': async (system) => {
    const jobs = { unit: { steps: ['true'], paths: ['code/**'] } };
    await settledChange(system, 'words', jobs);
    const { runId } = await system.change(RECORDED_REPOSITORY, 'more words', { 'README.md': '# Words\n' }, 'words');
    await system.settled(runId);
    return [runId];
  },
};

const filesOf = (jobs: Record<string, object>, policies: object = {}): Record<string, string> => ({
  'delta.yaml': configWith(jobs, { runs: policies }),
});

async function settledChange(
  system: TestMesh,
  name: string,
  jobs: Record<string, object>,
  policies: object = {},
): Promise<string> {
  const { runId } = await system.change(RECORDED_REPOSITORY, name, filesOf(jobs, policies), name);
  await system.settled(runId);
  return runId;
}
