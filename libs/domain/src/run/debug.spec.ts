import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  acknowledgeLease,
  cancelRun,
  CHANGE,
  completeAttempt,
  createDebugRun,
  createRun,
  FAILURE,
  grantLease,
  handOutSecrets,
  job,
  NEWER_RUN,
  openDebug,
  PLAN,
  recordArtifact,
  recordCache,
  recordPlan,
  reportProgress,
  RUN,
  runner,
  SUCCESS,
  T0,
} from './a-run.fixture.ts';
import { decideDebug } from './debug.ts';
import { folded, given, story, type Step } from './given.fixture.ts';
import { lived } from './lived-run.fixture.ts';
import { decideRerun } from './rerun.ts';

const WISH = { newRunId: NEWER_RUN, jobKey: 'a', attempt: null, by: 'olga', reason: 'it fails', heldMs: 900_000 };
const TRIED = { retries: 0 };
const failing: Step[] = [
  createRun({ cancelSuperseded: true }),
  recordPlan([job('a', [], TRIED), job('b')], { failFast: false, cancelSuperseded: true }),
  grantLease('a'),
  acknowledgeLease('a'),
  completeAttempt('a', FAILURE),
];

describe('looking into an attempt', () => {
  it("is a run of its own, of that job alone, whether or not the other is over; it takes nobody's place", () => {
    const decided = decideDebug(folded(story(...failing)), WISH);
    expect(decided).toMatchObject({
      ok: true,
      data: {
        runId: NEWER_RUN,
        change: { ...CHANGE, kind: 'rerun' },
        policy: { cancelSuperseded: false },
        rerun: {
          of: RUN,
          only: 'all',
          planDigest: PLAN,
          jobs: ['a'],
          debug: { attempt: 1, by: 'olga', reason: 'it fails', heldMs: 900_000 },
        },
      },
    });
  });

  it.each<[string, Step[], Partial<typeof WISH>, string]>([
    ['of a run nobody knows', [], {}, 'not_found'],
    ['of a job that is not planned', failing, { jobKey: 'c' }, 'not_found'],
    ['of a job without attempts', [createRun(), recordPlan([job('b'), job('a', ['b'])])], {}, 'not_found'],
    ['that goes on', failing.slice(0, -1), {}, 'not_rerunnable'],
    ['that succeeded', [...failing.slice(0, -1), completeAttempt('a', SUCCESS)], {}, 'not_rerunnable'],
    ['that was canceled', [createRun(), recordPlan([job('a')]), cancelRun], {}, 'not_rerunnable'],
    ['of a run for debugging', [createDebugRun(), ...failing.slice(1)], {}, 'not_rerunnable'],
  ])('%s is refused', (_, steps, wish, code) => {
    expect(decideDebug(folded(story(...steps)), { ...WISH, ...wish })).toMatchObject({ ok: false, refusal: { code } });
  });

  it('is not run again: its jobs are not those of the plan', () => {
    const over = folded(story(createDebugRun(), recordPlan([job('a', [], TRIED)]), ...failing.slice(2)));
    expect(decideRerun(over, { newRunId: NEWER_RUN, only: 'all' })).toMatchObject({
      refusal: { code: 'not_rerunnable' },
    });
  });

  it('law: what a run comes to later changes nothing of how it was decided', () => {
    fc.assert(
      fc.property(lived, fc.nat(), (world, cut) => {
        const before = folded(world.events.slice(0, cut % (world.events.length + 1)));
        const wish = { ...WISH, jobKey: 'j0', attempt: 1 };
        const decided = decideDebug(before, wish);
        const again = decideDebug(world.run, wish);
        const same = decided.ok && again.ok ? { ...again.data, policy: decided.data.policy } : null;
        expect(same).toEqual(decided.ok ? decided.data : null);
      }),
    );
  });
});

describe('a shell where a step failed', () => {
  const begun: Step[] = [createDebugRun(), recordPlan([job('a')]), grantLease('a'), acknowledgeLease('a')];

  it('is noted before anybody can type, for the one who asked, and no longer than the job has time', () => {
    const { timeoutMs } = job('a').policy;
    given(story(...begun, reportProgress('a', 'running')))
      .when(openDebug('a'), T0 + 1)
      .thenEvents({
        type: 'debug.opened',
        data: {
          jobKey: 'a',
          attempt: 1,
          fence: 1,
          runnerId: runner('a'),
          by: 'olga',
          logOffset: 40,
          untilMs: T0 + Math.min(600_001, timeoutMs),
        },
      });
  });

  it('said again, is the same shell', () => {
    given(story(...begun, openDebug('a')))
      .when(openDebug('a'))
      .thenNothing();
  });

  it('is in no run that nobody asked to look into, and in none that is being canceled', () => {
    given(story(createRun(), ...begun.slice(1)))
      .when(openDebug('a'))
      .thenRefused('forbidden');
    given(story(...begun, cancelRun))
      .when(openDebug('a'))
      .thenRefused('invalid_transition');
  });

  it("has no secrets beside it: none are handed out to such a run, whoever's change it is", () => {
    given(story(...begun.slice(0, -1)))
      .when(handOutSecrets('a'))
      .thenRefused('forbidden');
  });

  it('leaves no artifact and no cache', () => {
    for (const command of [recordArtifact('a'), recordCache('a')]) {
      given(story(...begun))
        .when(command)
        .thenRefused('forbidden');
    }
  });

  it('is over with its lease', () => {
    given(story(...begun, openDebug('a'), completeAttempt('a', FAILURE)))
      .when(openDebug('a'))
      .thenRefused('stale_lease', {}, { type: 'lease.stale-report-refused', data: { report: 'open-debug' } });
  });
});
