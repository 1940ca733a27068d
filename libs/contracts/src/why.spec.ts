import { describe, expect, it } from '@jest/globals';
import { aPlan } from '../../../test/support/made-up/plan.ts';
import { because } from '../../../test/support/made-up/planned-job.ts';
import { explainSubject, fullNameOf, namesakesOf, whyJob } from './why.ts';

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

  describe('given a folder, a job and a file of one name', () => {
    const alike = aPlan({
      skipped: [
        { key: 'build', title: 'build', kind: 'build', unit: 'build', explanation: because('skip', 'job') },
        { key: 'file', title: 'file', kind: 'custom', unit: null, explanation: because('skip', 'job file') },
      ],
      units: [
        { id: 'build', root: 'build', ecosystem: 'npm', affected: false, explanation: because('skip', 'unit') },
        { id: 'Makefile', root: '.', ecosystem: 'make', affected: false, explanation: because('skip', 'root unit') },
      ],
      files: ['build', 'file:build', 'job:file', 'Makefile'].map((path) => ({
        path,
        status: 'added' as const,
        owner: null,
        rule: 'ownership',
        reaches: [],
        sentence: `file ${path}`,
      })),
    });

    it.each([
      ['build', 'job', 'build'],
      ['job:build', 'job', 'build'],
      ['unit:build', 'unit', 'build'],
      ['unit:./build/', 'unit', 'build'],
      ['file:build', 'file', 'build'],
      ['file:file:build', 'file', 'file:build'],
      ['job:file', 'job', 'file'],
      ['file:job:file', 'file', 'job:file'],
      ['file:Makefile', 'file', 'Makefile'],
    ])('when %s is asked for, then the %s %s answers', (name, kind, id) => {
      expect(explainSubject(alike, name)?.subject).toEqual({ kind, id });
    });

    it.each([
      ['build', ['unit:build', 'file:build']],
      ['unit:build', ['job:build', 'file:build']],
      ['Makefile', ['file:Makefile']],
      ['.', ['file:Makefile']],
      ['job:file', []],
    ])('when %s is asked for, then %j are told as of the same name', (name, others) => {
      const answer = explainSubject(alike, name);
      expect(answer === null ? null : namesakesOf(alike, answer).map(fullNameOf)).toEqual(others);
    });

    it('when a kind is named that has none of that name, then the name as a whole is looked for', () => {
      expect(explainSubject(alike, 'unit:file')).toBeNull();
      expect(explainSubject({ ...alike, skipped: [] }, 'job:file')?.subject).toEqual({ kind: 'file', id: 'job:file' });
    });
  });

  it('given a name the plan does not know, when asked, then there is no answer', () => {
    expect(explainSubject(plan, 'packages/nothing')).toBeNull();
    expect(whyJob(plan, 'packages/cart')).toBeNull();
  });
});
