import { describe, expect, it } from '@jest/globals';
import type { Report, ReportData, ReportKind } from '@delta-ci/contracts';
import { submissionForReport, type SimpleReport } from './submission-for-report.ts';
import {
  CHANGE,
  DecidedRuns,
  REPOSITORY,
  RUN,
  RUNNER,
  command,
  leasedRun,
  typesIn,
} from './made-up-commands.fixture.ts';

function report<K extends ReportKind>(kind: K, data: ReportData<K>): Report<K> {
  // As with commands: one kind and its data are checked above, the union over all kinds does not follow from them.
  return { id: 'r-1', kind, causation: 'e-1', traceparent: null, data } as Report<K>;
}

const EXIT = report('runner-controller.runner-exit', {
  runnerId: RUNNER,
  exitCode: null,
  signal: 'SIGKILL',
  reason: 'the process ended',
});

function plannedRun(): DecidedRuns {
  const runs = new DecidedRuns();
  runs.decide(command('request-run', { runId: RUN, repository: REPOSITORY, change: CHANGE }));
  return runs;
}

describe('reports', () => {
  it('given planning that failed, then the run fails with the reason, in the name of the planner', () => {
    const failed = report('planner.planning-failed', {
      runId: RUN,
      code: 'invalid_plan',
      message: 'a circle',
      inputsDigest: null,
    });
    const submission = submissionForReport(failed, null);
    expect(submission).toMatchObject({
      id: 'report-r-1',
      causation: 'e-1',
      actor: { kind: 'service', name: 'planner' },
    });
    expect(typesIn(plannedRun().take(submission))).toEqual(['run.planning-failed', 'run.finished']);
  });

  it('given a runner that died with a lease, then the attempt is lost, is queued again, and the runner is retired', () => {
    const result = leasedRun().take(submissionForReport(EXIT, RUN));
    expect(typesIn(result)).toEqual(['lease.revoked', 'attempt.finished', 'attempt.queued', 'runner.retired']);
    expect(result.appends.flatMap(({ events }) => events).at(1)).toMatchObject({ data: { outcome: 'lost' } });
  });

  it('given a runner that held nothing, then it is retired and no run is troubled', () => {
    const submission = submissionForReport(EXIT, null);
    expect(submission.runs).toEqual([]);
    expect(typesIn(new DecidedRuns().take(submission))).toEqual(['runner.retired']);
  });

  it('given a report of a run nobody knows, then it is refused and leaves nothing', () => {
    const failed: SimpleReport = report('planner.planning-failed', {
      runId: RUN,
      code: 'invalid_plan',
      message: 'a circle',
      inputsDigest: null,
    });
    const result = new DecidedRuns().take(submissionForReport(failed, null));
    expect(result.answer.ok).toBe(false);
    expect(result.appends).toEqual([]);
  });
});
