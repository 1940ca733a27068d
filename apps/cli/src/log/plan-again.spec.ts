import { describe, expect, it } from '@jest/globals';
import { PLANNING_RULES_VERSION } from '@delta-ci/planning';
import { byItsRules, type PlannedAgain } from './plan-again.ts';

const DIFFERS: PlannedAgain = { verdict: 'differs', difference: { field: 'jobs.0.key', recorded: 'a', decided: 'b' } };

describe('a plan that is made again', () => {
  it('given the rules it was made by, when another comes out, then that is a difference', () => {
    expect(byItsRules(DIFFERS, PLANNING_RULES_VERSION)).toEqual(DIFFERS);
  });

  it('given other rules, when another comes out, then it is not judged, and says by which rules and where', () => {
    const verdict = byItsRules(DIFFERS, '1');
    expect(verdict).toEqual({
      verdict: 'not-judged',
      reason: expect.stringMatching(/version 1 .*jobs\.0\.key differs$/u),
    });
  });

  it('given other rules, when the same comes out, then it is the same', () => {
    expect(byItsRules({ verdict: 'same' }, '1')).toEqual({ verdict: 'same' });
  });
});
