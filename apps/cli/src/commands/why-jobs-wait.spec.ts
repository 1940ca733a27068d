import { describe, expect, it } from '@jest/globals';
import type { AttemptView, MomentView, WaitingReason } from '@delta-ci/contracts';
import { waitingWords, watchedWaits, whyJobsWait, type SeenRun } from './why-jobs-wait.ts';

const RUN = `run_${'1'.repeat(32)}`;
const OTHER = `run_${'2'.repeat(32)}`;

const viewWith = (states: readonly AttemptView['state'][]): SeenRun => ({
  runId: RUN,
  position: 70,
  jobs: states.map((state, index) => ({ key: `job-${index}`, attempts: [{ state }] })),
});

const why = (reason: WaitingReason, mismatches: string[] = [], capacity: string[] = []) => ({
  reason,
  needs: [],
  mismatches,
  capacity,
  sentence: 'it waited.',
});

const LACKS_GPU = why('no-runner-matches', ['the runner does not have the label gpu']);

/** A gateway with these pages of a moment, and what it was asked. */
function gatewayWith(...pages: { run: string; jobKey: string; why: typeof LACKS_GPU }[][]) {
  const asked: { moment: string; cursor: unknown }[] = [];
  const at = (moment: string, { cursor }: Readonly<Record<string, unknown>>): Promise<MomentView> => {
    asked.push({ moment, cursor });
    const page = Number(cursor ?? 0);
    const waiting = pages[page] ?? [];
    return Promise.resolve({
      position: 70,
      atMs: 7,
      runs: waiting.map(({ run }) => ({
        runId: run,
        repositoryId: 'github/demo/shop',
        ref: 'refs/heads/main',
        state: 'running',
        createdAtMs: 1,
        jobCounts: {},
      })),
      queue: waiting.map(({ run, ...rest }) => ({
        runId: run,
        attempt: 1,
        pool: 'default',
        priority: 0,
        waitingSinceMs: 2,
        ...rest,
      })),
      leases: [],
      runners: [],
      pools: [],
      nextCursor: page + 1 < pages.length ? String(page + 1) : null,
    });
  };
  return { asked, at };
}

describe('why jobs of a run wait', () => {
  it('given none that waits for a runner, when viewed, then nothing is asked', async () => {
    const gateway = gatewayWith([]);
    expect(await whyJobsWait(gateway, viewWith(['running', 'finished']))).toEqual(new Map());
    expect(gateway.asked).toEqual([]);
  });

  it('given a job that no runner fits, when viewed, then it is told what none has, as of the view', async () => {
    const gateway = gatewayWith([{ run: RUN, jobKey: 'lab', why: LACKS_GPU }]);
    const waits = await whyJobsWait(gateway, viewWith(['running', 'queued']));
    expect([...waits]).toEqual([
      ['lab', 'no runner of pool default can take it: the runner does not have the label gpu'],
    ]);
    expect(gateway.asked).toEqual([{ moment: '70', cursor: undefined }]);
  });

  it('given more runs than a page has, when viewed, then the run is looked for, and jobs of others are not taken', async () => {
    const gateway = gatewayWith(
      [{ run: OTHER, jobKey: 'lab', why: LACKS_GPU }],
      [{ run: RUN, jobKey: 'lab', why: why('no-runner', [], ['max 4: 5 would be used']) }],
    );
    const waits = await whyJobsWait(gateway, viewWith(['queued']));
    expect(waits.get('lab')).toBe('pool default has no runner (capacity was held back: max 4: 5 would be used)');
    expect(gateway.asked.map(({ cursor }) => cursor)).toEqual([undefined, '1']);
  });

  it('given somebody who watches, then of the same waiting jobs the gateway is asked again after a while only', async () => {
    const gateway = gatewayWith([{ run: RUN, jobKey: 'job-0', why: LACKS_GPU }]);
    let nowMs = 0;
    const waits = watchedWaits(gateway, () => nowMs);
    const askedFor = async (...states: AttemptView['state'][]): Promise<number> => {
      const before = gateway.asked.length;
      expect((await waits(viewWith(states))).size).toBe(states.includes('queued') ? 1 : 0);
      return gateway.asked.length - before;
    };
    expect(await askedFor('queued', 'running')).toBe(1);
    nowMs = 9_999;
    expect(await askedFor('queued', 'finished')).toBe(0);
    expect(await askedFor('queued', 'queued')).toBe(1);
    nowMs += 10_000;
    expect(await askedFor('queued', 'queued')).toBe(1);
    expect(await askedFor('running', 'running')).toBe(0);
  });

  it.each<[WaitingReason, RegExp | null]>([
    ['no-runner-free', /every runner of pool default that could take it is busy or has had its job/],
    ['about-to-be-taken', null],
    ['not-waiting', null],
  ])('given the reason %s, then it is told only if it does not pass by itself', (reason, words) => {
    const told = waitingWords('default', why(reason));
    expect(words === null ? told : words.test(told ?? '')).toBe(words === null ? null : true);
  });
});
