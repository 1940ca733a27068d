import { describe, expect, it } from '@jest/globals';
import { aChange } from '../../../test/support/made-up/change.ts';
import { aPlan } from '../../../test/support/made-up/plan.ts';
import { aRepository } from '../../../test/support/made-up/repository.ts';
import { PlanMemory, isOfSameChange, type Planned } from './plan-memory.ts';

const change = aChange();
const plan = aPlan({ repository: aRepository(), change });
const planned = (sizeBytes: number): Planned => ({
  kind: 'planned',
  plan,
  digest: `sha256:${'1'.repeat(64)}`,
  sizeBytes,
  inputsDigest: null,
});

describe('plans that were made before', () => {
  it('given a plan, then it is found by its construction and by no other', () => {
    const plans = new PlanMemory();
    plans.keep('one', planned(10));
    expect(plans.find('one')).toEqual(planned(10));
    expect(plans.find('other')).toBeNull();
  });

  it('given more than it may hold, then the longest unused goes first, and what is larger than all is not kept', () => {
    const plans = new PlanMemory(100);
    plans.keep('one', planned(40));
    plans.keep('two', planned(40));
    plans.find('one');
    plans.keep('three', planned(40));
    plans.keep('huge', planned(101));
    expect(['one', 'two', 'three', 'huge'].filter((key) => plans.find(key) !== null)).toEqual(['one', 'three']);
  });

  it.each([
    ['the same change', { change: aChange(), commit: plan.commit }, true],
    ['another ref', { change: { ...change, ref: 'refs/heads/other' }, commit: plan.commit }, false],
    ['another commit of the same tree', { change, commit: '9'.repeat(40) }, false],
  ])('given %s, then a plan is as good as a fresh one only if it bears the same heading', (_name, of, same) => {
    expect(isOfSameChange(plan, of)).toBe(same);
  });
});
