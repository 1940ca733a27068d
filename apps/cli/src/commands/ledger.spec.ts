import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import type { PlanShadow, SampledRun } from '@delta-ci/contracts';
import { accountOf } from '@delta-ci/planning';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';
import { ledgerText } from './ledger.ts';

const rules = { rate: 0.05, escapeRateMax: 0.05, samplesMin: 100 };
const plan = (over: Partial<PlanShadow>): PlanShadow => ({
  rules,
  sample: 'not-taken',
  by: ['ownership'],
  jobs: 3,
  unmeasured: 0,
  ms: 600_000,
  off: [],
  ...over,
});

const RUN = `run_${'1'.repeat(32)}`;

let commits = 0;
const sample = (
  by: string,
  outcome: string,
  failures: number,
  selected: SampledRun['selected'] = 'passed',
): SampledRun => ({
  runId: RUN,
  commit: `commit ${(commits += 1)}`,
  finishedAtMs: 1,
  selected,
  jobs: [{ key: 'shadow-test-cart', leftOut: { by: [by], as: 'shadow' }, outcome, failures }],
});

describe('delta ledger', () => {
  it('shows each optimisation with what it may miss beside what it spares, each job once in the sum', () => {
    const samples = [
      ...Array.from({ length: 212 }, (_, at) => sample('documentation', 'succeeded', at === 0 ? 1 : 0)),
      ...Array.from({ length: 35 }, () => sample('ownership', 'succeeded', 0)),
      ...Array.from({ length: 3 }, () => sample('ownership', 'failed', 1, 'failed')),
      ...Array.from({ length: 2 }, () => sample('ownership', 'failed', 2)),
    ];
    const account = accountOf(samples, [
      plan({}),
      plan({ by: ['documentation', 'ownership'], unmeasured: 1 }),
      plan({ sample: 'taken' }),
      plan({ sample: 'shed', by: ['lockfile-closure'] }),
    ]);
    expect(ledgerText(recorded(tmpdir()).surroundings, account)).toBe(
      [
        'OPTIMISATION      SAMPLES  CAUGHT  ESCAPED  UNSTABLE  AT MOST  SPARED   STATE',
        'documentation     212      0       0        1         1.4 %    10m 00s  on',
        'lockfile-closure  0        0       0        0         100 %    10m 00s  on, 100 more to judge',
        'ownership         40       3       2        0         14.9 %   20m 00s  off',
        '',
        '3 plans left out 9 jobs: 30m 00s of runners, and 1 job nobody has measured.',
        '5 % of the changes are sampled (1 of the newest plans, 1 more were shed); up to 5 % may escape.',
        '',
        `escaped ownership in ${RUN}: shadow-test-cart`,
        `escaped ownership in ${RUN}: shadow-test-cart`,
        '',
      ].join('\n'),
    );
  });

  it('says where nothing was ever left out under a ledger', () => {
    expect(ledgerText(recorded(tmpdir()).surroundings, accountOf([], []))).toContain('docs/shadow-ledger.md');
  });

  it.each([
    [['shop'], 'write it as forge/owner/name'],
    [['github/demo/shop'], '--database-url'],
  ])('given %j and no database, then it is a problem with a next step, and it ends with 2', async (args, message) => {
    const { surroundings, err } = recorded(tmpdir());
    expect(await delta(['ledger', ...args], surroundings)).toBe(2);
    expect(err()).toContain(message);
  });
});
