import { describe, expect, it } from '@jest/globals';
import type { LedgerEntry, SampledJob, SampledRun } from '@delta-ci/contracts';
import fc from 'fast-check';
import { escapesIn, foldLedger, verdictsOf } from './fold-ledger.ts';
import { judgeEntry } from './judge-entry.ts';
import { isSampled } from './sample.ts';

const shadow = (outcome: string, failures = 0, by = ['documentation']): SampledJob => ({
  key: 'shadow-test-cart',
  leftOut: { by, as: 'shadow' },
  outcome,
  failures,
});
const counted = (outcome: string, failures = 0): SampledJob => ({
  key: 'shadow-test-cart',
  leftOut: { by: ['documentation'], as: 'counted' },
  outcome,
  failures,
});
let commits = 0;
/** Of a commit of its own. */
const run = (selected: SampledRun['selected'], ...jobs: SampledJob[]): SampledRun => ({
  runId: 'run_1',
  commit: `commit ${(commits += 1)}`,
  finishedAtMs: 1,
  selected,
  jobs,
});
const verdictOf = (sample: SampledRun): string | undefined => verdictsOf(sample).get('documentation');

describe('what a sample says', () => {
  it.each<[string, SampledRun, string]>([
    ['all shadows succeed', run('passed', shadow('succeeded'), shadow('succeeded')), 'clean'],
    ['one fails twice and nothing else does', run('passed', shadow('succeeded'), shadow('failed', 2)), 'escaped'],
    ['one fails and what was selected failed too', run('failed', shadow('failed', 1)), 'caught'],
    ['one fails once and could not be run again', run('passed', shadow('failed', 1)), 'unjudged'],
    ['one fails and passes when it is run again', run('passed', shadow('succeeded', 1)), 'unstable'],
    ['one is canceled', run('failed', shadow('succeeded'), shadow('canceled')), 'unjudged'],
    ['one has lost its runners', run('passed', shadow('failed', 0)), 'unjudged'],
    ['one runs out of time', run('passed', shadow('timed_out')), 'unjudged'],
    ['one fails twice in a run that was canceled', run('undecided', shadow('failed', 2)), 'unjudged'],
    ['what runs because of a switch fails', run('passed', counted('failed', 1)), 'escaped'],
    ['what runs because of a switch fails and ends the others', run('undecided', counted('failed', 1)), 'escaped'],
    ['what runs because of a switch is canceled', run('undecided', counted('canceled')), 'unjudged'],
  ])('given that %s, then it is %s', (_, sample, verdict) => {
    expect(verdictOf(sample)).toBe(verdict);
  });

  it('counts for every optimisation that left the job out, and for no other', () => {
    const sample = run('passed', shadow('failed', 2, ['ownership']), shadow('succeeded', 0, ['documentation']));
    expect([...verdictsOf(sample)]).toEqual([
      ['ownership', 'escaped'],
      ['documentation', 'clean'],
    ]);
  });

  it('is added up optimisation by optimisation, in the order of their names', () => {
    const both = ['ownership', 'documentation'];
    expect(
      foldLedger([
        run('passed', shadow('succeeded', 0, both)),
        run('passed', shadow('failed', 2, ['ownership'])),
        run('failed', shadow('failed', 1, both)),
        run('passed', shadow('succeeded', 1)),
        run('passed', shadow('canceled', 0, ['manifest-cosmetic'])),
      ]),
    ).toEqual([
      { optimisation: 'documentation', samples: 3, caught: 1, escaped: 0, unstable: 1 },
      { optimisation: 'manifest-cosmetic', samples: 0, caught: 0, escaped: 0, unstable: 0 },
      { optimisation: 'ownership', samples: 3, caught: 1, escaped: 1, unstable: 0 },
    ]);
  });
});

describe('runs of one commit', () => {
  const clean = run('passed', shadow('succeeded'));
  const { commit } = clean;
  const again = (selected: SampledRun['selected'], ...jobs: SampledJob[]) => ({ ...run(selected, ...jobs), commit });

  it.each([
    ['a clean one counts once', [clean, again('passed', shadow('succeeded'))], { samples: 1, escaped: 0 }],
    [
      'what escaped counts, whatever else was found',
      [again('passed', shadow('failed', 2)), clean],
      { samples: 1, escaped: 1 },
    ],
    [
      'one that cannot be judged says nothing',
      [clean, again('passed', shadow('canceled'))],
      { samples: 1, escaped: 0 },
    ],
  ])('are one sample: %s', (_, runs, entry) => {
    expect(foldLedger(runs)).toMatchObject([{ optimisation: 'documentation', ...entry }]);
    expect(foldLedger(runs.toReversed())).toEqual(foldLedger(runs));
  });
});

describe('what escaped', () => {
  it('is told with the run, what failed in it, and the optimisations that left it out, the newest first', () => {
    const older = run('passed', shadow('failed', 2, ['ownership', 'documentation']), shadow('succeeded'));
    const newer = { ...run('passed', counted('failed', 1)), runId: 'run_2', finishedAtMs: 2 };
    expect(escapesIn([older, run('failed', shadow('failed', 2)), newer])).toEqual([
      { runId: 'run_2', finishedAtMs: 2, optimisations: ['documentation'], jobs: ['shadow-test-cart'] },
      { runId: 'run_1', finishedAtMs: 1, optimisations: ['ownership', 'documentation'], jobs: ['shadow-test-cart'] },
    ]);
  });
});

const entry = (samples: number, escaped: number): LedgerEntry => ({
  optimisation: 'ownership',
  samples,
  escaped,
  caught: 0,
  unstable: 0,
});
const RULES = { rate: 0.05, escapeRateMax: 0.05, samplesMin: 100 };

describe('whether an optimisation is in force', () => {
  it.each([
    [0, 0, true, 1, 100],
    [40, 0, true, 0.0722, 60],
    [1, 1, true, 1, 99],
    [100, 1, true, 0.0466, 0],
    [2, 2, false, 1, 98],
    [100, 2, false, 0.0616, 0],
    [150, 2, true, 0.0414, 0],
  ])('given %i samples with %i escapes, then on: %p', (samples, escaped, on, bound, missing) => {
    const judged = judgeEntry(entry(samples, escaped), RULES);
    expect({ ...judged, bound: Number(judged.bound.toFixed(4)) }).toMatchObject({ on, bound, missing });
  });

  it('law: samples without an escape never switch anything off, however few, whatever the limit', () => {
    const anyRules = fc.record({
      rate: fc.constant(1),
      escapeRateMax: fc.double({ min: 0.001, max: 1, noNaN: true }),
      samplesMin: fc.integer({ min: 1, max: 2_000 }),
    });
    fc.assert(fc.property(fc.nat(2_000), anyRules, (samples, rules) => judgeEntry(entry(samples, 0), rules).on));
  });

  it('law: enough clean samples switch on again whatever was switched off', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), (escaped) => {
        expect(judgeEntry(entry(100, escaped + 1), RULES).on).toBe(false);
        expect(judgeEntry(entry(100 + 200 * (escaped + 1), escaped + 1), RULES).on).toBe(true);
      }),
    );
  });
});

describe('the sample', () => {
  const commit = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('hex'));

  it('law: a larger rate takes whatever a smaller one does; 0 takes nothing and 1 everything', () => {
    fc.assert(
      fc.property(commit, fc.double({ min: 0, max: 1, noNaN: true }), (id, rate) => {
        expect(isSampled(id, { rate: 0 })).toBe(false);
        expect(isSampled(id, { rate: 1 })).toBe(true);
        const more = rate + (1 - rate) / 2;
        expect(isSampled(id, { rate }) && !isSampled(id, { rate: more })).toBe(false);
      }),
    );
  });

  it.each([0.02, 0.1, 0.5])('takes about %d of ten thousand commits', (rate) => {
    const ids = Array.from({ length: 10_000 }, (_, at) => ((at + 1) * 2_654_435_761).toString(16).padStart(40, '0'));
    const taken = ids.filter((id) => isSampled(id, { rate })).length / ids.length;
    expect(Math.abs(taken - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / ids.length));
  });
});
