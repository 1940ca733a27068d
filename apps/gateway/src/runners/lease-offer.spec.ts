import { describe, expect, it } from '@jest/globals';
import type { Plan } from '@delta-ci/contracts';
import { aPlan } from '../../../../test/support/made-up/plan.ts';
import { aPlannedJob } from '../../../../test/support/made-up/planned-job.ts';
import { PlanShelf } from './lease-offer.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const PLAN = aPlan({ jobs: [aPlannedJob('unit'), aPlannedJob('lint')] });

describe('plans on the shelf', () => {
  it('given many who ask at once, then one fetch serves them all', async () => {
    let fetches = 0;
    const shelf = new PlanShelf(async () => {
      fetches += 1;
      return Promise.resolve(PLAN);
    });
    const taken = await Promise.all([shelf.take(DIGEST), shelf.take(DIGEST), shelf.take(DIGEST)]);
    expect([fetches, ...taken.map((one) => one?.jobs.get('lint')?.key)]).toEqual([1, 'lint', 'lint', 'lint']);
  });

  it.each<[string, () => Promise<Plan | null>]>([
    ['could not be looked up', () => Promise.reject(new Error('the database is away'))],
    ['was not there', () => Promise.resolve(null)],
  ])('given a plan that %s, when it is asked for again, then it is looked up again', async (_name, first) => {
    const answers = [first, () => Promise.resolve(PLAN)];
    const shelf = new PlanShelf(async () => (answers.shift() ?? first)());
    await shelf.take(DIGEST).catch(() => null);
    expect((await shelf.take(DIGEST))?.plan).toBe(PLAN);
  });
});
