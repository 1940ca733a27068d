import { describe, expect, it } from '@jest/globals';
import { Plan, explainSubject } from '@delta-ci/contracts';
import { keysOf, planned, type Files } from './planned-repository.fixture.ts';
import { SHOP } from './shop.fixture.ts';

const AFTER: Files = { ...SHOP, 'packages/money/src/index.js': 'export const add = (a, b) => a + b;\n' };

describe('planning a change of a workspace of three packages', () => {
  it('given a change of money, then money and cart are tested and greeting is skipped', () => {
    const plan = planned(SHOP, AFTER);
    expect(keysOf(plan.jobs)).toEqual(['test-packages-cart', 'test-packages-money']);
    expect(keysOf(plan.skipped)).toEqual(['test-packages-greeting']);
  });

  it('given a change of money, then the plan is of the shape that travels', () => {
    expect(Plan.parse(planned(SHOP, AFTER))).toEqual(planned(SHOP, AFTER));
  });

  it('given a change of money, then every job, unit and file can say why', () => {
    const plan = planned(SHOP, AFTER);
    const subjects = ['test-packages-cart', 'test-packages-money', 'test-packages-greeting', 'packages/greeting', '.'];
    expect(subjects.map((subject) => explainSubject(plan, subject)?.explanation.sentence)).toMatchInlineSnapshot(`
      [
        "test packages/cart runs because packages/money/src/index.js was modified, and it belongs to packages/money; packages/cart depends on packages/money (production).",
        "test packages/money runs because packages/money/src/index.js was modified, and it belongs to packages/money.",
        "test packages/greeting is skipped: the changed file does not reach packages/greeting, and it depends on no other unit.",
        "packages/greeting is not affected: the changed file does not reach packages/greeting, and it depends on no other unit.",
        "shop is not affected: the changed file does not reach shop, and it depends on no other unit. It has nothing to run.",
      ]
    `);
    expect(plan.files).toMatchInlineSnapshot(`
      [
        {
          "owner": "packages/money",
          "path": "packages/money/src/index.js",
          "reaches": [
            "packages/money",
          ],
          "rule": "ownership",
          "sentence": "packages/money/src/index.js was modified: it belongs to packages/money.",
          "status": "modified",
        },
      ]
    `);
    expect(plan.summary).toMatchInlineSnapshot(
      `"packages/money/src/index.js changed since bbbbbbbb. 2 of 3 jobs run: test @shop/cart and test @shop/money. Skipped: test @shop/greeting."`,
    );
  });
});
