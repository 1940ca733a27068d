import { describe, expect, it } from '@jest/globals';
import type { SampledRun } from '@delta-ci/contracts';
import { ToldLedger, type LedgerSource } from './told-ledger.ts';

const sample = (at: number): SampledRun => ({
  runId: `run_${String(at).padStart(32, '0')}`,
  commit: String(at).padStart(40, '0'),
  finishedAtMs: at,
  selected: 'passed',
  jobs: [{ key: 'shadow-test', leftOut: { by: ['ownership'], as: 'shadow' }, outcome: 'succeeded', failures: 0 }],
});
const clean = (samples: number) => ({ optimisation: 'ownership', samples, caught: 0, escaped: 0, unstable: 0 });

/** A log in which runs finish while nobody looks. */
function told(finished: SampledRun[]): { ledger: ToldLedger; asked: (number | null)[]; warnings: unknown[] } {
  const asked: (number | null)[] = [];
  const warnings: unknown[] = [];
  const source: LedgerSource = {
    samples: async (_repository, after) => {
      asked.push(after?.finishedAtMs ?? null);
      if (finished.length === 0) throw new Error('nobody answers');
      return finished.filter(({ finishedAtMs }) => finishedAtMs > (after?.finishedAtMs ?? 0));
    },
    isBusy: async () => finished.length > 2,
  };
  return { ledger: new ToldLedger(source, { warn: (line: unknown) => warnings.push(line) }), asked, warnings };
}

describe('what the planner is told of the shadow ledger', () => {
  it('is folded from what finished since it was asked last', async () => {
    const finished = [sample(1), sample(2)];
    const { ledger, asked } = told(finished);
    expect(await ledger.ask('local/demo/shop')).toEqual({ entries: [clean(2)], busy: false });
    finished.push(sample(3));
    expect(await ledger.ask('local/demo/shop')).toEqual({ entries: [clean(3)], busy: true });
    expect(await ledger.ask('local/demo/other')).toMatchObject({ entries: [clean(3)] });
    expect(asked).toEqual([null, 2, null]);
  });

  it('counts the newest two thousand', async () => {
    const { ledger } = told(Array.from({ length: 2_005 }, (_, at) => sample(at + 1)));
    expect(await ledger.ask('local/demo/shop')).toMatchObject({ entries: [clean(2_000)] });
  });

  it('is nothing while the log cannot be asked, which is logged', async () => {
    const { ledger, warnings } = told([]);
    expect(await ledger.ask('local/demo/shop')).toBeNull();
    expect(warnings).toMatchObject([{ event: 'ledger-not-told' }]);
  });
});
