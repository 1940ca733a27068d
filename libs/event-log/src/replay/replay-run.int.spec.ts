import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runnerStream, runStream, type DomainEvent, type RunId, type StreamId } from '@delta-ci/contracts';
import { decideRerun } from '@delta-ci/domain';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { OPERATOR, runIdOf, runnerIdOf, simpleRun } from '../testing/run-story.fixture.ts';
import { replayRun } from './replay-run.ts';

describe('a run, replayed from its log', () => {
  let log: FreshLog;
  beforeEach(async () => {
    log = await freshLog();
  });
  afterEach(() => log.drop());

  /** A whole run of one job, by a runner that registered with these capabilities. */
  const tell = async (name: string, os: string | null): Promise<RunId> => {
    const { runId, submissions } = simpleRun(name);
    const runnerId = runnerIdOf(name);
    if (os !== null) await append(runnerStream(runnerId), registered(runnerId, os));
    const writer = log.writer();
    for (const submission of submissions) await writer.submit(submission);
    return runId;
  };

  const append = async (stream: StreamId, ...events: DomainEvent[]): Promise<void> => {
    const id = `append-${stream}-${events[0]?.type ?? ''}`;
    const runs = stream.startsWith('run-') ? [stream.slice('run-'.length)] : [];
    const answer = await log.writer().submit({
      id,
      actor: OPERATOR,
      traceparent: null,
      causation: id,
      runs,
      decide: () => ({ appends: [{ stream, events }], answer: { ok: true, result: {} } }),
    });
    expect(answer).toMatchObject({ ok: true });
  };

  it('given a whole run, then every decision is made again, dispatch included, and planning is named', async () => {
    const runId = await tell('whole', 'linux');
    expect(await replayRun(log.reader, runId)).toMatchObject({
      runId,
      decisions: { 'create-run': 1, 'record-plan': 1, 'grant-lease': 1, 'complete-attempt': 1, dispatch: 1 },
      differences: [],
      planning: { ok: true, inputsDigest: null },
    });
  });

  it('given an event that no decision led to, then its position is named', async () => {
    const runId = await tell('odd', 'linux');
    await append(runStream(runId), { type: 'run.reported', data: { outcome: 'succeeded' } });
    const replayed = await replayRun(log.reader, runId);
    expect(replayed?.differences).toEqual([
      {
        position: replayed === null ? 0 : replayed.events + 1,
        event: 'run.reported',
        decision: null,
        field: 'type',
        recorded: 'run.reported',
        decided: undefined,
      },
    ]);
  });

  it.each([
    ['offers something else', 'darwin', 'lacks'],
    ['never registered', null, 'never registered'],
  ])('given a lease of a runner that %s, then the dispatch is named', async (_, os, why) => {
    const runId = await tell('misfit', os);
    expect((await replayRun(log.reader, runId))?.differences).toMatchObject([
      { event: 'lease.granted', decision: 'dispatch', decided: expect.stringContaining(why) as unknown },
    ]);
  });

  it('given a rerun, then where it started from is decided again on the run it repeats', async () => {
    const runId = await tell('repeated', 'linux');
    const source = await log.writer().submit(rerunOf(runId, runIdOf('again')));
    expect(source.ok).toBe(true);
    const replayed = await replayRun(log.reader, runIdOf('again'));
    expect(replayed).toMatchObject({ decisions: { rerun: 1 }, differences: [] });
  });

  it('given a run nobody knows, then there is nothing to replay', async () => {
    expect(await replayRun(log.reader, runIdOf('unknown'))).toBeNull();
  });
});

const registered = (runnerId: string, os: string): DomainEvent => ({
  type: 'runner.registered',
  data: {
    runnerId,
    name: 'one',
    pool: 'default',
    capabilities: { os, arch: 'x64', isolation: ['sandbox', 'process'], toolchains: [], labels: [] },
    version: '1',
  },
});

function rerunOf(runId: RunId, newRunId: RunId) {
  return {
    id: 'rerun',
    actor: OPERATOR,
    traceparent: null,
    causation: 'rerun',
    runs: [runId, newRunId],
    decide: (view: { run: (id: RunId) => Parameters<typeof decideRerun>[0]; nowMs: number }) => {
      const chosen = decideRerun(view.run(runId), { newRunId, only: 'all' as const });
      if (!chosen.ok) throw new Error(chosen.refusal.message);
      const created = { type: 'run.created' as const, data: chosen.data };
      const deadlineAtMs = view.nowMs + chosen.data.policy.planningTimeoutMs;
      const started = { type: 'run.planning-started' as const, data: { deadlineAtMs } };
      const appends = [{ stream: runStream(newRunId), events: [created, started] }];
      return { appends, answer: { ok: true as const, result: {} } };
    },
  };
}
