import { describe, expect, it } from '@jest/globals';
import type { CommandData } from '@delta-ci/contracts';
import { aReport } from '../../../../test/support/made-up/completion-report.ts';
import { submissionForCommand, type DecidedCommand } from './submission-for-command.ts';
import { grantSubmission } from './grant-submission.ts';
import {
  CHANGE,
  DIGEST,
  DecidedRuns,
  FACTS,
  GRANTEE,
  LEASE,
  NEW_RUN,
  REPOSITORY,
  RUN,
  RUNNER,
  WORK,
  command,
  leasedRun,
  typesIn,
} from './made-up-commands.fixture.ts';

const DELIVERY: CommandData<'accept-delivery'> = {
  forge: 'github',
  deliveryId: 'd-1',
  event: 'push',
  payloadDigest: DIGEST,
  request: { kind: 'run', repository: REPOSITORY, change: CHANGE },
};
const SPEAKER = { leaseHash: LEASE, runnerId: RUNNER };

function fingerprintOf(wanted: DecidedCommand): string | undefined {
  const prepared = submissionForCommand(wanted, FACTS);
  return prepared.ok ? prepared.submission.fingerprint : undefined;
}

const DEBUG = {
  runId: RUN,
  newRunId: NEW_RUN,
  jobKey: 'unit',
  attempt: null,
  reason: 'it fails at night',
  minutes: 15,
};

describe('commands from the public edge', () => {
  it('given a delivery that asks for a run, then delivery and run are recorded together and the run is the answer', () => {
    const result = new DecidedRuns().decide(command('accept-delivery', DELIVERY));
    expect(typesIn(result)).toEqual(['delivery.accepted', 'run.created', 'run.planning-started']);
    expect(result.answer).toEqual({ ok: true, result: { runId: RUN, ignored: null } });
  });

  it('given a delivery that nobody acts on, then that and the reason are recorded', () => {
    const request = { kind: 'ignore' as const, reason: 'tags do not start runs' };
    const result = new DecidedRuns().decide(command('accept-delivery', { ...DELIVERY, request }));
    expect(typesIn(result)).toEqual(['delivery.ignored']);
    expect(result.answer).toEqual({ ok: true, result: { runId: null, ignored: 'tags do not start runs' } });
  });

  it('given a run id that is taken, then the delivery is refused and leaves nothing', () => {
    const runs = new DecidedRuns();
    runs.decide(command('request-run', { runId: RUN, repository: REPOSITORY, change: CHANGE }));
    const result = runs.decide(command('accept-delivery', DELIVERY));
    expect(result.answer.ok).toBe(false);
    expect(result.appends).toEqual([]);
  });

  it('given a run that is not over, when it is to be run again, then that is refused by name', () => {
    const runs = new DecidedRuns();
    runs.decide(command('accept-delivery', DELIVERY));
    const { answer } = runs.decide(command('rerun', { runId: RUN, newRunId: NEW_RUN, only: 'all' }));
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'not_rerunnable' } });
  });

  it('given a canceled run, when it is run again, then a new run is created under its own id', () => {
    const runs = new DecidedRuns();
    runs.decide(command('accept-delivery', DELIVERY));
    runs.decide(command('cancel-run', { runId: RUN, reason: 'not wanted' }));
    const result = runs.decide(command('rerun', { runId: RUN, newRunId: NEW_RUN, only: 'all' }));
    expect(result.answer).toEqual({ ok: true, result: { runId: NEW_RUN } });
    expect(result.appends[0]?.events[0]).toMatchObject({
      type: 'run.created',
      data: { runId: NEW_RUN, change: { head: CHANGE.head } },
    });
  });

  it.each<[string, DecidedCommand, DecidedCommand]>([
    [
      'accept-delivery',
      command('accept-delivery', DELIVERY),
      command('accept-delivery', { ...DELIVERY, payloadDigest: `sha256:${'6'.repeat(64)}` }),
    ],
    [
      'request-run',
      command('request-run', { runId: RUN, repository: REPOSITORY, change: CHANGE }),
      command('request-run', { runId: RUN, repository: REPOSITORY, change: { ...CHANGE, head: 'd'.repeat(40) } }),
    ],
    [
      'cancel-run',
      command('cancel-run', { runId: RUN, reason: '' }),
      command('cancel-run', { runId: NEW_RUN, reason: '' }),
    ],
    [
      'rerun',
      command('rerun', { runId: RUN, newRunId: NEW_RUN, only: 'all' }),
      command('rerun', { runId: RUN, newRunId: NEW_RUN, only: 'failed' }),
    ],
    ['debug', command('debug', DEBUG), command('debug', { ...DEBUG, reason: 'another' })],
    [
      'set-policy',
      command('set-policy', { repository: REPOSITORY.id, policy: { failFast: true } }),
      command('set-policy', { repository: REPOSITORY.id, policy: { failFast: false } }),
    ],
    [
      'complete-attempt',
      command('complete-attempt', { ...SPEAKER, report: aReport() }),
      command('complete-attempt', { ...SPEAKER, report: aReport('failed') }),
    ],
    [
      'acknowledge-cancel',
      command('acknowledge-cancel', { ...SPEAKER, report: aReport('canceled') }),
      command('acknowledge-cancel', { ...SPEAKER, report: aReport('succeeded') }),
    ],
  ])('given %s with other content under the same id, then its mark is another', (_name, one, other) => {
    expect(fingerprintOf(one)).toMatch(/^sha256:/);
    expect(fingerprintOf(structuredClone(one))).toBe(fingerprintOf(one));
    expect(fingerprintOf(other)).not.toBe(fingerprintOf(one));
  });
});

describe('looking into an attempt', () => {
  it('given one that failed, then a run is created for it, and who asked and why is on record', () => {
    const runs = leasedRun();
    runs.decide(command('acknowledge-lease', SPEAKER));
    runs.decide(command('complete-attempt', { ...SPEAKER, report: aReport('failed') }));
    const { answer, appends } = runs.decide(command('debug', DEBUG));
    expect(answer).toEqual({ ok: true, result: { runId: NEW_RUN } });
    expect(appends).toMatchObject([
      {
        stream: 'operator-debug',
        events: [
          { type: 'operator.acted', data: { action: 'debug', subject: `${RUN}/unit/1`, detail: 'it fails at night' } },
        ],
      },
      { stream: `run-${NEW_RUN}`, events: [{ type: 'run.created' }, { type: 'run.planning-started' }] },
    ]);
  });

  it('given one that goes on, then it is refused, and that is on record too', () => {
    const { answer, appends } = leasedRun().decide(command('debug', DEBUG));
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'not_rerunnable' } });
    expect(appends).toMatchObject([
      { stream: 'operator-debug', events: [{ type: 'operator.acted', data: { action: 'debug-refused' } }] },
    ]);
  });

  it('given a shell that stands in a run nobody asked to look into, then it is refused', () => {
    const runs = leasedRun();
    runs.decide(command('acknowledge-lease', SPEAKER));
    const { answer } = runs.decide(command('open-debug', { ...SPEAKER, logOffset: 0 }));
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'forbidden' } });
  });
});

describe('commands that speak for a lease', () => {
  it('given a lease nobody knows, then it is stale and no run is troubled', () => {
    const prepared = submissionForCommand(command('acknowledge-lease', SPEAKER), { ...FACTS, leaseRunId: null });
    expect(prepared).toMatchObject({ ok: false, refusal: { code: 'stale_lease', details: { reason: 'unknown' } } });
  });

  it('given a granted lease, when acknowledged and completed, then the run is over', () => {
    const runs = leasedRun();
    expect(typesIn(runs.decide(command('acknowledge-lease', SPEAKER)))).toEqual(['lease.activated']);
    const result = runs.decide(command('complete-attempt', { ...SPEAKER, report: aReport() }));
    expect(typesIn(result)).toEqual(['attempt.finished', 'job.finished', 'run.finished']);
    expect(result.answer).toEqual({ ok: true, result: { outcome: 'succeeded' } });
  });

  it('given a grant that was asked for again because its answer got lost, then the same lease is the answer', () => {
    const runs = leasedRun();
    const again = runs.take(grantSubmission({ ...GRANTEE, commandId: 'c-2' }, WORK));
    expect(again.appends).toEqual([]);
    expect(again.answer).toMatchObject({ ok: true, result: { lease: { runId: RUN, jobKey: 'unit', attempt: 1 } } });
  });

  it('given work that is taken, when another runner is offered it, then it is refused and not remembered', () => {
    const other = { ...GRANTEE, leaseHash: '7'.repeat(64), runnerId: `rnr_${'8'.repeat(32)}` };
    const result = leasedRun().take(grantSubmission(other, WORK));
    expect(result).toMatchObject({ appends: [], answer: { ok: false }, remember: false });
  });
});
