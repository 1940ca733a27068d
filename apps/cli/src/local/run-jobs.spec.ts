import { describe, expect, it } from '@jest/globals';
import { DEFAULT_JOB_POLICY, type PlannedJob } from '@delta-ci/contracts';
import type { JobResult } from '@delta-ci/sandbox';
import { aPlannedJob } from '../../../../test/support/made-up/planned-job.ts';
import type { Executed } from './job/explain-locally.ts';
import { LocalLog } from './job/local-log.ts';
import { runJobs, type LocalOutcome, type RunJobsOptions } from './run-jobs.ts';

type Ending = JobResult['outcome'] | 'not judged';

function executed(ending: Ending): Executed {
  const result: JobResult = {
    outcome: ending === 'not judged' ? 'failed' : ending,
    exitCode: ending === 'succeeded' ? 0 : 1,
    signal: null,
    steps: [],
    infrastructureError: ending === 'not judged' ? { code: 'internal', message: 'no disk' } : null,
    remarks: [],
  };
  const artifacts = { junit: [], found: [], unmatched: [] };
  const nothing = { artifacts, caches: [], egress: null, logIsCut: false };
  return { result, log: new LocalLog(), ...nothing, startedMs: 1_000, finishedMs: 3_000 };
}

interface Story {
  readonly outcomes: LocalOutcome[];
  readonly order: string[];
  readonly atOnce: number;
}

async function story(
  jobs: readonly PlannedJob[],
  endings: Readonly<Record<string, Ending>>,
  more: Partial<RunJobsOptions> = {},
): Promise<Story> {
  const order: string[] = [];
  let running = 0;
  let atOnce = 0;
  const outcomes = await runJobs(jobs, {
    atOnceMax: 2,
    failFast: true,
    interrupted: new AbortController().signal,
    refused: new Map(),
    execute: async ({ key }) => {
      order.push(key);
      running += 1;
      atOnce = Math.max(atOnce, running);
      await Promise.resolve();
      running -= 1;
      return executed(endings[key] ?? 'succeeded');
    },
    onFinished: () => undefined,
    ...more,
  });
  return { outcomes, order, atOnce };
}

const shown = ({ outcomes }: Story): string[] => outcomes.map(({ key, outcome }) => `${key} ${outcome}`);

describe('running the jobs of a plan', () => {
  it('given needs, then a job begins after what it needs, and no more run at once than allowed', async () => {
    const jobs = [
      aPlannedJob('test', { needs: ['build'] }),
      aPlannedJob('lint'),
      aPlannedJob('docs'),
      aPlannedJob('build'),
    ];
    const told = await story(jobs, {});
    expect(told.order.indexOf('build')).toBeLessThan(told.order.indexOf('test'));
    expect(told.atOnce).toBe(2);
    expect(shown(told)).toEqual(['test succeeded', 'lint succeeded', 'docs succeeded', 'build succeeded']);
  });

  it('given a failure, then what needs it is skipped and, failing fast, the rest is canceled', async () => {
    const jobs = [aPlannedJob('build'), aPlannedJob('test', { needs: ['build'] }), aPlannedJob('lint')];
    const told = await story(jobs, { build: 'failed' }, { atOnceMax: 1 });
    expect(told.order).toEqual(['build']);
    expect(shown(told)).toEqual(['build failed', 'test skipped', 'lint canceled']);
  });

  it('given a failure and no failing fast, then only what needs it does not run', async () => {
    const jobs = [aPlannedJob('build'), aPlannedJob('test', { needs: ['build'] }), aPlannedJob('lint')];
    const told = await story(jobs, { build: 'failed' }, { failFast: false });
    expect(shown(told)).toEqual(['build failed', 'test skipped', 'lint succeeded']);
  });

  it('given a failed job that may fail, then what needs it runs', async () => {
    const lenient = { ...DEFAULT_JOB_POLICY, allowFailure: true, required: false };
    const jobs = [aPlannedJob('audit', { policy: lenient }), aPlannedJob('publish', { needs: ['audit'] })];
    expect(shown(await story(jobs, { audit: 'failed' }))).toEqual(['audit failed', 'publish succeeded']);
  });

  it('given priorities, then the higher goes first', async () => {
    const urgent = { ...DEFAULT_JOB_POLICY, priority: 5 };
    const told = await story([aPlannedJob('one'), aPlannedJob('two', { policy: urgent })], {}, { atOnceMax: 1 });
    expect(told.order).toEqual(['two', 'one']);
  });

  it('given an interruption, then nothing begins any more', async () => {
    const told = await story([aPlannedJob('one'), aPlannedJob('two')], {}, { interrupted: AbortSignal.abort() });
    expect(told.order).toEqual([]);
    expect(shown(told)).toEqual(['one canceled', 'two canceled']);
  });

  it('given failed jobs that want to be alone, then each is when no other works, in turn, and nothing begins before', async () => {
    const jobs = ['one', 'two', 'three', 'four'].map((key) => aPlannedJob(key));
    const told: string[] = [];
    const others = Promise.withResolvers<void>();
    await story(
      jobs,
      {},
      {
        atOnceMax: 3,
        failFast: false,
        execute: async ({ key }, _, alone) => {
          told.push(`${key} begins`);
          await Promise.resolve();
          if (key === 'four') return executed('succeeded');
          if (key === 'three') {
            await others.promise;
            told.push('three ends');
            return executed('succeeded');
          }
          const turn = alone(async () => {
            told.push(`${key} is alone`);
            await Promise.resolve();
            told.push(`${key} was alone`);
          });
          if (key === 'two') others.resolve();
          await turn;
          return executed('failed');
        },
      },
    );
    const [one, two] = [
      ['one is alone', 'one was alone'],
      ['two is alone', 'two was alone'],
    ];
    expect(told).toEqual(['one begins', 'two begins', 'three begins', 'three ends', ...one, ...two, 'four begins']);
  });

  it('given a failure of a job that wants to be alone and failing fast, then the others are told to stop before its turn', async () => {
    let toldToStop = false;
    const jobs = [aPlannedJob('one'), aPlannedJob('two')];
    const told = await story(
      jobs,
      {},
      {
        execute: async ({ key }, signal, alone) => {
          if (key === 'one') await alone(async () => void (toldToStop = signal.aborted));
          else await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          return executed(key === 'one' ? 'failed' : 'canceled');
        },
      },
    );
    expect([...shown(told), toldToStop]).toEqual(['one failed', 'two canceled', true]);
  });

  it('given a job that cannot have what it needs, then it never begins, what needs it is skipped, and the others run', async () => {
    const refusal = { code: 'secret_unavailable', message: 'it needs a secret' } as const;
    const jobs = [aPlannedJob('deploy'), aPlannedJob('tell', { needs: ['deploy'] }), aPlannedJob('unit')];
    const told = await story(jobs, {}, { refused: new Map([['deploy', refusal]]) });
    expect(told.order).toEqual(['unit']);
    expect(told.outcomes).toMatchObject([
      { key: 'deploy', outcome: 'failed', notJudged: refusal, durationMs: null, reason: 'it needs a secret' },
      { key: 'tell', outcome: 'skipped', reason: 'it needs deploy, which did not succeed' },
      { key: 'unit', outcome: 'succeeded' },
    ]);
  });

  it('given such a job and an interruption or a need that failed, then that is why', async () => {
    const refused = new Map([['deploy', { code: 'secret_unavailable', message: 'it needs a secret' } as const]]);
    const jobs = [aPlannedJob('unit'), aPlannedJob('deploy', { needs: ['unit'] })];
    expect(shown(await story(jobs, { unit: 'failed' }, { refused }))).toEqual(['unit failed', 'deploy skipped']);
    const interrupted = AbortSignal.abort();
    expect(shown(await story([aPlannedJob('deploy')], {}, { refused, interrupted }))).toEqual(['deploy canceled']);
  });

  it('given a job that could not be judged, then it says so and has an explanation', async () => {
    const { outcomes } = await story([aPlannedJob('one')], { one: 'not judged' });
    expect(outcomes[0]).toMatchObject({ notJudged: { code: 'internal' }, durationMs: 2_000 });
    expect(outcomes[0]?.explanation?.class).toBe('infrastructure');
  });
});
