import { describe, expect, it } from '@jest/globals';
import type { Explanation } from '@delta-ci/contracts';
import { aPlan } from '../../../../test/support/made-up/plan.ts';
import { aPlannedJob } from '../../../../test/support/made-up/planned-job.ts';
import { questionsOf, replyTo, type Question } from './answers.ts';

const because = (decision: Explanation['decision'], sentence: string): Explanation => ({
  decision,
  chain: [
    { kind: 'change', detail: sentence },
    { kind: 'rule', rule: 'ownership', detail: sentence },
  ],
  sentence,
});

const plan = aPlan({
  jobs: [aPlannedJob('test', { explanation: because('run', 'a job that runs') })],
  skipped: [
    { key: 'build', title: 'build', kind: 'build', unit: null, explanation: because('skip', 'a job that does not') },
  ],
  units: [
    { id: 'lib', root: 'lib', ecosystem: 'npm', affected: true, explanation: because('run', 'a unit') },
    { id: 'build', root: 'build', ecosystem: 'npm', affected: false, explanation: because('skip', 'another') },
  ],
  files: [
    { path: 'lib/a.js', status: 'modified', owner: 'lib', rule: 'ownership', reaches: ['lib'], sentence: 'a file' },
    { path: 'build', status: 'added', owner: null, rule: 'documentation', reaches: [], sentence: 'a page' },
  ],
});

/** A plan whose only unit is explained in this way. */
const explained = (explanation: Partial<Explanation>): typeof plan => ({
  ...plan,
  units: [
    {
      id: 'lib',
      root: 'lib',
      ecosystem: 'npm',
      affected: true,
      explanation: { ...because('run', 'a unit'), ...explanation },
    },
  ],
});

const aboutLib: Question = { about: 'units', subject: { kind: 'unit', id: 'lib' }, decision: 'run' };

describe('asking about everything in a plan', () => {
  it('when every question is asked, then each is answered with its own sentence, whatever goes by the same name', () => {
    const replies = questionsOf(plan).map((question) => [question.about, question.decision, replyTo(plan, question)]);
    const answered = (sentence: string, byFullName = false): unknown => ({ ok: true, sentence, byFullName });
    expect(replies).toEqual([
      ['jobs that run', 'run', answered('a job that runs')],
      ['jobs that do not', 'skip', answered('a job that does not')],
      ['units', 'run', answered('a unit')],
      ['units', 'skip', answered('another', true)],
      ['changed files', 'run', answered('a file')],
      ['changed files', 'skip', answered('a page', true)],
    ]);
  });

  it.each([
    ['the opposite', { decision: 'skip' }, 'it is "run" in the plan, and the answer says the opposite'],
    ['nothing', { sentence: ' ' }, 'the answer has no words'],
    [
      'no change',
      { chain: [{ kind: 'rule', rule: 'ownership', detail: '' }] },
      'the chain says nothing of what changed',
    ],
    ['no rule', { chain: [{ kind: 'change', detail: '' }] }, 'the chain names no rule'],
  ] as const)('given an answer that says %s, then it is none', (_what, explanation, reason) => {
    expect(replyTo(explained(explanation as Partial<Explanation>), aboutLib)).toEqual({ ok: false, reason });
  });

  it('given a name that the plan does not know, then there is no answer', () => {
    const question: Question = { ...aboutLib, subject: { kind: 'unit', id: 'nowhere' } };
    expect(replyTo(plan, question)).toEqual({ ok: false, reason: 'the plan knows nothing of it' });
  });

  it('given a name that only something else has, then the answer is not taken for one about it', () => {
    const question: Question = { ...aboutLib, subject: { kind: 'unit', id: 'lib/a.js' } };
    expect(replyTo(plan, question)).toEqual({ ok: false, reason: 'the plan knows nothing of it' });
  });
});
