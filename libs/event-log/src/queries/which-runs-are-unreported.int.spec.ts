import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunId } from '@delta-ci/contracts';
import type { RunCommand } from '@delta-ci/domain';
import type { LogWriter } from '../append/log-writer.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import {
  createDebugRun,
  createRun,
  digestOf,
  recordPlan,
  runIdOf,
  runSubmission,
} from '../testing/run-story.fixture.ts';
import { whichRunsAreUnreported } from './which-runs-are-unreported.ts';

const HOUR_MS = 3_600_000;

describe('which runs are unreported', () => {
  let log: FreshLog;
  let writer: LogWriter;
  beforeAll(async () => {
    log = await freshLog();
    writer = log.writer();
  });
  afterAll(() => log.drop());

  let told = 0;
  const tell = async (runId: RunId, command: RunCommand) =>
    expect(await writer.submit(runSubmission(`c-${++told}`, runId, command))).toMatchObject({ ok: true });

  it('given runs that go on, finished and were reported, then the first two are, and none for debugging, as the reader', async () => {
    const [goesOn, finished, reported] = ['goes-on', 'finished', 'reported'].map(runIdOf) as [RunId, RunId, RunId];
    for (const runId of [goesOn, finished, reported]) await tell(runId, createRun(runId));
    const debugged = runIdOf('debugged');
    await tell(debugged, createDebugRun(debugged));
    for (const runId of [finished, reported]) await tell(runId, recordPlan([]));
    await tell(reported, {
      type: 'record-publication',
      data: {
        target: 'check:delta-ci',
        externalId: '1',
        viewPosition: 1,
        digest: digestOf('page'),
        status: 'published',
        detail: '',
        final: 'succeeded',
      },
    });
    const found = await whichRunsAreUnreported(log.reader, { finishedWithinMs: HOUR_MS, limit: 10 });
    expect(new Set(found.map(({ runId }) => runId))).toEqual(new Set([goesOn, finished]));
    const lately = await whichRunsAreUnreported(log.reader, { finishedWithinMs: -HOUR_MS, limit: 10 });
    expect(lately.map(({ runId }) => runId)).toEqual([goesOn]);
    expect(await whichRunsAreUnreported(log.reader, { finishedWithinMs: HOUR_MS, limit: 1 })).toHaveLength(1);
  });
});
