import { describe, expect, it } from '@jest/globals';
import type { Figure } from './figure.ts';
import { judge } from './goals.ts';
import { columns, goalLines, measuredLines } from './table.ts';

const figures: Figure[] = [
  { name: 'append.run-events', value: 20_000, unit: '/s', raw: { what: 'a plain insert', value: 50_000 } },
  { name: 'append.batch', value: 80, unit: '', note: 'events per transaction' },
];

describe('the table of a measure', () => {
  it('given figures, then each stands beside its raw limit, and columns line up', () => {
    const measured = { measure: 'append', at: '2026-01-01T00:00:00.000Z', loadBefore: 0.25, quick: false, figures };
    expect(measuredLines(measured)).toEqual([
      'append (load before 0.25)',
      '  append.run-events  20,000/s  0.4 of a plain insert (50,000/s)',
      '  append.batch       80                                          events per transaction',
    ]);
  });

  it('given rows of different length, then nothing is lost and nothing trails', () => {
    expect(columns([['a'], ['bb', 'c'], ['', '', 'd']])).toEqual(['a', 'bb  c', '       d']);
    expect(columns([])).toEqual([]);
  });
});

describe('the table of goals', () => {
  it('given a run of one measure, then only its goals are shown', () => {
    expect(goalLines(judge(figures))).toEqual(['goals', '  met  append.run-events  0.4 of raw  at least 0.35 of raw']);
  });

  it('given nothing that was to be reached, then there is no table', () => {
    expect(goalLines(judge([]))).toEqual([]);
  });
});
