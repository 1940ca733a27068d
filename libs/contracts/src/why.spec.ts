import { describe, expect, it } from '@jest/globals';
import { aPlan } from '../../../test/support/made-up/plan.ts';
import { because } from '../../../test/support/made-up/planned-job.ts';
import { explainSubject, whyJob } from './why.ts';

const plan = aPlan({
  skipped: [
    {
      key: 'test-cart',
      title: 'test packages/cart',
      kind: 'test',
      unit: 'packages/cart',
      explanation: because('skip', 'job'),
    },
  ],
  units: [
    {
      id: 'cart',
      root: 'packages/cart',
      ecosystem: 'npm',
      affected: false,
      explanation: because('skip', 'unit'),
    },
    { id: 'shop', root: '.', ecosystem: 'npm', affected: false, explanation: because('skip', 'root unit') },
  ],
  files: [
    { path: 'README.md', status: 'modified', owner: null, rule: 'docs-only', reaches: [], sentence: 'prose' },
    { path: 'src/a.js', status: 'added', owner: 'shop', rule: 'ownership', reaches: ['shop'], sentence: '' },
  ],
});

describe('why something is in or out of a plan', () => {
  it.each([
    ['test-cart', 'job', 'test-cart', 'job'],
    ['cart', 'unit', 'cart', 'unit'],
    ['./packages/cart/', 'unit', 'cart', 'unit'],
    ['.', 'unit', 'shop', 'root unit'],
    ['./', 'unit', 'shop', 'root unit'],
    ['README.md', 'file', 'README.md', 'prose'],
    ['./README.md', 'file', 'README.md', 'prose'],
  ])('given %s, when asked, then the %s %s answers', (subject, kind, id, sentence) => {
    expect(explainSubject(plan, subject)).toMatchObject({ subject: { kind, id }, explanation: { sentence } });
  });

  it('given a file that reached units, when asked, then the chain names the file, the rule and the units', () => {
    const answer = explainSubject(plan, 'src/a.js');
    expect(answer?.explanation).toEqual({
      decision: 'run',
      chain: [
        { kind: 'file', path: 'src/a.js', status: 'added' },
        { kind: 'rule', rule: 'ownership', detail: '' },
        { kind: 'unit', unit: 'shop' },
      ],
      sentence: 'src/a.js was added.',
    });
  });

  it('given a name the plan does not know, when asked, then there is no answer', () => {
    expect(explainSubject(plan, 'packages/nothing')).toBeNull();
    expect(whyJob(plan, 'packages/cart')).toBeNull();
  });
});
