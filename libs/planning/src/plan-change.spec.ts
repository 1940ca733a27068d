import { describe, expect, it } from '@jest/globals';
import { Plan, canonicalJson, explainSubject } from '@delta-ci/contracts';
import { inputsFor, keysOf, planned, type Files } from './planned-repository.fixture.ts';
import { planChange } from './plan-change.ts';
import { SHOP, json } from './shop.fixture.ts';

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

describe('what strangers write into their manifests', () => {
  const refusal = (files: Files): unknown => planChange(inputsFor(null, files));

  it.each([
    ['more processors than there are', 'limits: { cpu: "99999999999" }', 'jobs.0.limits.cpuCount'],
    ['no whole byte of memory', 'limits: { memory: "0.1" }', 'jobs.0.limits.memoryBytes'],
  ])('given %s, then the plan is rejected with the place', (_what, line, place) => {
    const files = { 'delta.yaml': `version: 1\njobs: { a: { steps: [x] } }\n${line}\n` };
    expect(refusal(files)).toMatchObject({ ok: false, code: 'plan_rejected', message: expect.stringContaining(place) });
  });

  it('given a path longer than a plan may hold, then the plan is rejected with the place', () => {
    const files = { [`${'d'.repeat(250)}/`.repeat(20) + 'package.json']: json({ scripts: { test: 'x' } }) };
    expect(refusal(files)).toMatchObject({ ok: false, code: 'plan_rejected' });
  });

  it('given halves of characters in a manifest, or made by cutting, then the plan still has a canonical text', () => {
    const scripts = '"scripts":{"test":"x"}';
    const cut = `${'a'.repeat(199)}\u{1f600}`;
    const plans = [
      planned(null, { 'package.json': `{"name":"\\ud800",${scripts}}` }),
      planned(null, { 'delta.yaml': `version: 1\njobs: { a: { steps: ["${cut}"] } }\n` }),
    ];
    for (const plan of plans) expect(() => canonicalJson(plan)).not.toThrow();
  });

  it('given members that nest without end where order has a meaning, then the package is planned', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const files = { 'package.json': `{"scripts":{"test":"x"},"exports":${deep}}` };
    expect(keysOf(planned(null, files).jobs)).toHaveLength(1);
  });
});
