import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunId } from '@delta-ci/contracts';
import { eventually } from '../../../test/support/infra/index.ts';
import { finished, planned } from '../../../test/support/made-up/one-job-run.ts';
import { createdAt, explained, HEAD, PROPOSED, runIdOf, started } from './run-story.fixture.ts';
import { runningReporter, type RunningReporter } from './running-reporter.fixture.ts';

let reporter: RunningReporter;

beforeAll(async () => {
  reporter = await runningReporter();
});
afterAll(async () => reporter.end());

/** The checks of a run by the part of their external id that names the job; the gate is `''`. */
const checksOf = (runId: RunId) =>
  new Map(
    reporter.forge
      .checkRuns('demo/shop', HEAD)
      .filter(({ external_id: id }) => id.startsWith(runId))
      .map((check) => [check.external_id.slice(runId.length), check]),
  );

const isShown = async (runId: RunId, suffix: string, conclusion: string): Promise<unknown> =>
  eventually(`${suffix || 'the gate'} is ${conclusion}`, () => checksOf(runId).get(suffix)?.conclusion === conclusion);

const isReported = async (runId: RunId): Promise<unknown> =>
  eventually('the run is reported', async () => reporter.isReported(runId));

const wholeRun = async (runId: RunId, outcome: 'succeeded' | 'failed'): Promise<void> => {
  await reporter.append(runId, createdAt(runId));
  await reporter.append(runId, planned(PROPOSED), [PROPOSED]);
  await reporter.append(runId, started(runId));
  await reporter.append(runId, finished(outcome));
};

describe('the status reporter', () => {
  it('given a run from creation to success, then the forge follows: gate, job, and the skipped job with its reason', async () => {
    const runId = runIdOf('success');
    await reporter.append(runId, createdAt(runId));
    await eventually('the gate is there', () => checksOf(runId).get('')?.status === 'queued');
    await reporter.append(runId, planned(PROPOSED), [PROPOSED]);
    await isShown(runId, '.docs', 'skipped');
    await reporter.append(runId, started(runId));
    await eventually('the job runs', () => checksOf(runId).get('.unit')?.status === 'in_progress');
    await reporter.append(runId, finished('succeeded'));
    await isReported(runId);

    const checks = checksOf(runId);
    expect([...checks.keys()].toSorted()).toEqual(['', '.docs', '.unit']);
    expect(checks.get('')).toMatchObject({ name: 'delta-ci', status: 'completed', conclusion: 'success' });
    expect(checks.get('.unit')).toMatchObject({ name: 'delta-ci / unit', conclusion: 'success' });
    expect(checks.get('.docs')?.output.summary).toContain('nothing of docs changed');
    const gate = reporter.reported.filter((data) => data.runId === runId && data.target === 'check:delta-ci');
    expect(gate.at(-1)).toMatchObject({
      final: 'succeeded',
      status: 'published',
      externalId: String(checks.get('')?.id),
    });
    expect(gate.filter(({ final }) => final !== null)).toHaveLength(1);
  });

  it('given a failure with 70 failed tests, then all are annotated once, however often the check is updated', async () => {
    const runId = runIdOf('failure');
    await wholeRun(runId, 'failed');
    await isShown(runId, '', 'failure');
    await reporter.append(runId, [explained(70)]);
    await eventually('70 annotations', () => checksOf(runId).get('.unit')?.annotations.length === 70);
    await reporter.settled();
    expect(checksOf(runId).get('.unit')?.annotations).toHaveLength(70);
    expect(checksOf(runId).get('')?.output.summary).toContain('70 tests of the cart failed');
    expect(
      checksOf(runId)
        .get('')
        ?.actions.map(({ identifier }) => identifier),
    ).toEqual(['rerun-failed', 'why']);
  });

  it('given events that change nothing that is shown, then the forge is not called', async () => {
    const runId = runIdOf('quiet');
    await wholeRun(runId, 'failed');
    await reporter.append(runId, [explained(2)]);
    await isReported(runId);
    await reporter.settled();
    const before = [...reporter.forge.calls];
    await reporter.append(runId, [explained(2)]);
    await reporter.append(runId, [explained(2)]);
    await reporter.settled();
    expect(reporter.forge.calls).toEqual(before);
  });

  it('given a plan that cannot be made, then the gate fails and says why', async () => {
    const runId = runIdOf('unplanned');
    await reporter.append(runId, createdAt(runId));
    await reporter.append(runId, [
      {
        type: 'run.planning-failed',
        data: { code: 'config_invalid', message: 'delta.yml:3: unknown key "stepz"', inputsDigest: null },
      },
      { type: 'run.finished', data: { outcome: 'failed', reason: 'no plan could be made' } },
    ]);
    await isShown(runId, '', 'failure');
    expect(checksOf(runId).get('')?.output.summary).toContain('delta.yml:3: unknown key "stepz"');
    await isReported(runId);
  });

  it('given a forge that fails and limits, then the checks are right in the end, each made once', async () => {
    const runId = runIdOf('trouble');
    reporter.forge.failNext({ status: 503 }, { status: 500 }, { status: 429, retryAfterSeconds: 1 }, { status: 502 });
    await wholeRun(runId, 'succeeded');
    await isReported(runId);
    const made = reporter.forge.checkRuns('demo/shop', HEAD).filter(({ external_id: id }) => id.startsWith(runId));
    expect(made).toHaveLength(3);
    expect([...checksOf(runId)].map(([suffix, { conclusion }]) => `${suffix} ${conclusion}`)).toEqual(
      expect.arrayContaining([' success', '.unit success', '.docs skipped']),
    );
  });

  it('given no token, then that is recorded once and nothing is sent', async () => {
    const runId = runIdOf('tokenless');
    await reporter.append(runId, createdAt(runId, 'silent'));
    await reporter.append(runId, planned(PROPOSED), [PROPOSED]);
    await reporter.append(runId, started(runId));
    await reporter.append(runId, finished('succeeded'));
    await reporter.settled();
    const records = reporter.reported.filter((data) => data.runId === runId);
    expect(records).toMatchObject([
      { target: 'check:delta-ci', status: 'refused', detail: 'no token for silent', final: null },
    ]);
    expect(checksOf(runId).size).toBe(0);
  });

  it('given a reporter that was away while a run finished, when it is back, then the checks it made are found and ended', async () => {
    const runId = runIdOf('away');
    await reporter.append(runId, createdAt(runId));
    await eventually('the gate is there', () => checksOf(runId).get('') !== undefined);
    expect(await reporter.stop()).toEqual([]);
    await reporter.append(runId, planned(PROPOSED), [PROPOSED]);
    await reporter.append(runId, started(runId));
    await reporter.append(runId, finished('succeeded'));
    await reporter.start();
    await isReported(runId);
    const gates = reporter.forge.checkRuns('demo/shop', HEAD).filter(({ external_id: id }) => id === runId);
    expect(gates).toMatchObject([{ conclusion: 'success' }]);
  });
});
