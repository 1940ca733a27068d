import { describe, expect, it } from '@jest/globals';
import type { Plan, Recipe } from '@delta-ci/contracts';
import fc from 'fast-check';
import { lintConfigFile } from '../config/lint-config-file.ts';
import { planned, type Files } from '../planned-repository.fixture.ts';
import { anyMonorepo } from '../random-monorepo.fixture.ts';
import { SHOP } from '../shop.fixture.ts';
import { quoteForShell } from '../shell-words.ts';
import { configOfRecipe } from './config-of-recipe.ts';
import { NOTHING_KNOWN, RUNNABLE_TREES, recipeOf, taughtBy } from './taught.fixture.ts';

function textOf(recipe: Recipe): string {
  const config = configOfRecipe(recipe, ['How this repository was seen to build and test.']);
  if (!config.ok) throw new Error(config.problem);
  expect(lintConfigFile(config.text, 'delta.yaml')).toEqual([]);
  return config.text;
}

/** Which command lines a plan runs in which folders, with what they are given. */
const workOf = ({ jobs }: Plan) =>
  Object.fromEntries(
    jobs.map(({ key, steps, env, egress, artifacts, policy }) => [
      key,
      {
        steps: steps.map(({ run, workdir }) => (workdir === '.' ? run : `cd ${quoteForShell(workdir)}\n${run}`)),
        env: { CI: 'true', ...env },
        artifacts,
        policy,
        network: egress.allow.length > 0,
      },
    ]),
  );

/** Hosts stand in the file once for all jobs: one that needs none may reach those of the others. */
function expectSameWork(files: Files, discovered: Plan): void {
  const configured = planned(null, { ...files, 'delta.yaml': textOf(taughtBy(discovered)) });
  const [own, given] = [workOf(discovered), workOf(configured)];
  expect(configured.source.kind).toBe('config');
  expect(Object.keys(given).sort()).toEqual(Object.keys(own).sort());
  for (const [key, { network, ...work }] of Object.entries(own)) {
    const { network: reaches, ...same } = given[key] ?? { network: false };
    expect({ key, ...same }).toEqual({ key, ...work });
    expect(reaches || !network).toBe(true);
  }
}

describe('a configuration file from a recipe', () => {
  it.each(RUNNABLE_TREES)(
    'law: given %s, then it can be read, and runs the same commands in the same order and folders',
    (_, files) => {
      expectSameWork(files, planned(null, files, { recipe: NOTHING_KNOWN }));
    },
  );

  it('law: so it is of any workspace', () => {
    fc.assert(
      fc.property(anyMonorepo, ({ files }) => {
        expectSameWork(files, planned(null, files, { recipe: NOTHING_KNOWN }));
      }),
      { numRuns: 40 },
    );
  });

  it('reads like a file that somebody wrote', () => {
    expect(textOf(recipeOf(SHOP))).toMatchInlineSnapshot(`
      "# How this repository was seen to build and test.
      # It ran with node >=20.
      version: 1
      jobs:
        test-packages-cart:
          env:
            npm_config_audit: "false"
            npm_config_fund: "false"
            npm_config_update_notifier: "false"
          steps:
            - npm ci --offline
            - npm run test --workspace=packages/cart
        test-packages-greeting:
          env:
            npm_config_audit: "false"
            npm_config_fund: "false"
            npm_config_update_notifier: "false"
          steps:
            - npm run test --workspace=packages/greeting
        test-packages-money:
          env:
            npm_config_audit: "false"
            npm_config_fund: "false"
            npm_config_update_notifier: "false"
          steps:
            - npm run test --workspace=packages/money
      "
    `);
  });

  it('given a recipe with more than a file may hold, then it says what is too much', () => {
    const [unit] = recipeOf(SHOP).units;
    if (unit === undefined) throw new Error('the shop has units');
    const install = Array.from({ length: 300 }, (_, at) => ({ name: `step ${at}`, run: `echo ${at}`, workdir: '.' }));
    expect(configOfRecipe({ version: 1, units: [{ ...unit, install }] }, [])).toMatchObject({ ok: false });
  });
});
