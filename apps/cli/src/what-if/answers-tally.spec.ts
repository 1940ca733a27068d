import { describe, expect, it } from '@jest/globals';
import type { Plan } from '@delta-ci/contracts';
import { aPlan } from '../../../../test/support/made-up/plan.ts';
import { AnswersTally, type AnswersSummary } from './answers-tally.ts';

const unit = (id: string, sentence: string): Plan['units'][number] => ({
  id,
  root: id,
  ecosystem: 'npm',
  affected: false,
  explanation: {
    decision: 'skip',
    chain: [
      { kind: 'change', detail: sentence },
      { kind: 'rule', rule: 'unreached', detail: sentence },
    ],
    sentence,
  },
});

/** A step whose plan has nothing but these units; null: none, for lack of anything to run. */
function stepOf(commit: string, units: Plan['units'] | null): Parameters<AnswersTally['add']>[0] {
  const step = { commit: { id: commit } } as Parameters<AnswersTally['add']>[0]['step'];
  if (units === null) return { step, plan: null, planned: { ok: false, code: 'nothing_to_run', message: '' } };
  const planned = { ok: true, digest: '', run: [], total: 0, savedMs: 0, totalMs: 0, files: [], jobs: [] } as const;
  return { step, plan: aPlan({ jobs: [], skipped: [], units, files: [] }), planned };
}

function summaryOf(...steps: readonly Parameters<AnswersTally['add']>[0][]): AnswersSummary {
  const tally = new AnswersTally();
  for (const step of steps) tally.add(step);
  return tally.summary();
}

describe('what asking about a history comes to', () => {
  it('given more than can be named without an answer, then all are counted and the first are named', () => {
    const silent = Array.from({ length: 150 }, (_, at) => unit(`unit${at}`, ' '));
    const { unanswered, without, asked } = summaryOf(stepOf('c1', silent), stepOf('c2', [unit('last', 'words')]));
    expect([unanswered, asked.units, without.length]).toEqual([150, 151, 100]);
    expect(without[0]).toEqual({ commit: 'c1', kind: 'unit', id: 'unit0', reason: 'the answer has no words' });
  });

  it('then the digest depends on every name, every sentence, their order, and on what has no plan', () => {
    const [a, b] = [unit('a', 'one'), unit('b', 'two')];
    const histories = [
      [stepOf('c', [a, b])],
      [stepOf('c', [b, a])],
      [stepOf('c', [a])],
      [stepOf('c', [a, unit('b', 'three')])],
      [stepOf('c', [a, unit('c', 'two')])],
      [stepOf('c', [a, b]), stepOf('d', null)],
      [stepOf('d', null), stepOf('c', [a, b])],
    ];
    const digests = histories.map((steps) => summaryOf(...steps).digest);
    expect(new Set(digests).size).toBe(histories.length);
    expect(summaryOf(stepOf('elsewhere', [a, b])).digest).toBe(digests[0]);
  });
});
