import { describe, expect, it } from '@jest/globals';
import { canonicalJson, type Plan, type Recipe } from '@delta-ci/contracts';
import fc from 'fast-check';
import { aChange } from '../../../../test/support/made-up/change.ts';
import { discover } from '../discover.ts';
import { constructionKey } from '../known-construction.ts';
import { planChange } from '../plan-change.ts';
import { BASE, HEAD, inputsFor, keysOf, planned, snapshotOf, type Files } from '../planned-repository.fixture.ts';
import { anyMonorepo } from '../random-monorepo.fixture.ts';
import { inputsFromRecord, recordInputs, type RecordedInputs } from '../recorded-inputs.ts';
import { SHOP, json } from '../shop.fixture.ts';
import { departsFromDiscovery, followsRecipe } from './recipe-words.ts';
import {
  FINGERPRINT,
  NOTHING_KNOWN,
  RUNNABLE_TREES,
  TAUGHT_BY,
  knowing,
  recipeOf,
  taughtBy,
} from './taught.fixture.ts';

const changed = (files: Files, path: string): Files => ({ ...files, [path]: `${files[path] ?? ''}// changed\n` });
const hasBuild = ({ commands }: { readonly commands: readonly { readonly kind: string }[] }): boolean =>
  commands.some(({ kind }) => kind === 'build');
const stepsOf = ({ jobs }: Plan) => jobs.map(({ key, steps, env }) => ({ key, steps, env }));
const commandsOf = ({ units }: Recipe): string[] =>
  units.flatMap(({ id, commands }) => commands.map(({ kind, step }) => `${id} ${kind}: ${step.run}`));

/** The recipe with another test command in packages/cart, as other rules may have found it. */
const otherwise = (recipe: Recipe, run: string): Recipe => ({
  ...recipe,
  units: recipe.units.map((unit) =>
    unit.id !== 'packages/cart'
      ? unit
      : { ...unit, commands: unit.commands.map((each) => ({ ...each, step: { ...each.step, run } })) },
  ),
});

describe('what a plan teaches', () => {
  it('given no recipe, when all jobs run, then it teaches the first version of all their commands', () => {
    const { source } = planned(null, SHOP, { recipe: NOTHING_KNOWN });
    expect(source).toMatchObject({ kind: 'discovery', recipe: { fingerprint: FINGERPRINT, used: null, stale: null } });
    expect(source.evidence).toContain('no recipe is known for these manifests');
    expect(source.recipe?.teaches?.version).toBe(1);
    expect(recipeOf(SHOP).units.map(({ id }) => id)).toEqual(['packages/cart', 'packages/greeting', 'packages/money']);
  });

  it('given a change of one unit, then only what runs is taught; the next run adds what it runs, and then there is no more', () => {
    const one = planned(SHOP, changed(SHOP, 'packages/greeting/src/index.js'), { recipe: NOTHING_KNOWN });
    const first = taughtBy(one);
    expect(first.units.map(({ id }) => id)).toEqual(['packages/greeting']);
    const two = planned(SHOP, changed(SHOP, 'packages/money/src/index.js'), { recipe: knowing(first) });
    expect(two.source.recipe?.teaches?.version).toBe(2);
    expect(commandsOf(taughtBy(two))).toEqual(commandsOf(recipeOf(SHOP)));
    const three = planned(null, SHOP, { recipe: knowing(taughtBy(two)) });
    expect(three.source).toMatchObject({ kind: 'recipe', recipe: { teaches: null } });
  });

  it('given a change that is not trusted, then it teaches nothing, and follows what is known', () => {
    const change = aChange({ base: BASE, head: HEAD, trust: 'untrusted' });
    const plan = planned(null, SHOP, { change, recipe: knowing(recipeOf(SHOP)) });
    expect(plan.source).toMatchObject({ kind: 'recipe', recipe: { teaches: null } });
    expect(planned(null, SHOP, { change, recipe: NOTHING_KNOWN }).source.recipe?.teaches).toBeNull();
  });

  it('given jobs of a configuration file, then recipes play no part', () => {
    const files = { ...SHOP, 'delta.yaml': 'version: 1\njobs:\n  test:\n    steps: [npm test]\n' };
    const plan = planned(null, files, { recipe: knowing(recipeOf(SHOP)) });
    expect(plan.source).toEqual({ kind: 'config', evidence: 'delta.yaml of the tested commit' });
  });
});

describe('a plan by a recipe', () => {
  const recipe = recipeOf(SHOP);
  const after = changed(SHOP, 'packages/money/src/index.js');

  it('says which recipe it is, since when and why, in its source, its summary and every job', () => {
    const plan = planned(SHOP, after, { recipe: knowing(recipe) });
    const named = `recipe rcp_${'7'.repeat(32)} (version 1, learned 2026-01-02T03:04:05.678Z from ${TAUGHT_BY})`;
    expect(plan.source.evidence).toContain(`${named}, because the tested tree has the same manifests`);
    expect(plan.summary).toContain(`All commands of the repository are those of ${named}.`);
    for (const job of plan.jobs) {
      expect(followsRecipe(job)).toBe(true);
      expect(job.explanation.sentence).toContain(named.slice(1));
    }
  });

  it('law: runs and skips what it would without, and does the same, whatever changes', () => {
    fc.assert(
      fc.property(anyMonorepo, fc.nat(), ({ files }, pick) => {
        const paths = Object.keys(files).filter((path) => path.includes('/src/'));
        const edited = changed(files, paths[pick % paths.length] ?? '');
        const [without, by] = [planned(files, edited), planned(files, edited, { recipe: knowing(recipeOf(files)) })];
        expect(stepsOf(by)).toEqual(stepsOf(without));
        expect(keysOf(by.skipped)).toEqual(keysOf(without.skipped));
        expect(by.units).toEqual(without.units);
      }),
    );
  });

  it.each(RUNNABLE_TREES)('given %s, then what is built before a command is taught with it', (_, files) => {
    const { units } = recipeOf(files);
    const building = new Set(
      discover(snapshotOf(files))
        .units.filter(hasBuild)
        .map(({ id }) => id),
    );
    const needed = units.flatMap(({ buildsFirst }) => buildsFirst.filter((id) => building.has(id)));
    expect(units.filter(hasBuild).map(({ id }) => id)).toEqual(expect.arrayContaining(needed));
  });

  it.each(RUNNABLE_TREES)('given %s, then everything is run as without', (_, files) => {
    const without = planned(null, files, { recipe: NOTHING_KNOWN });
    const by = planned(null, files, { recipe: knowing(taughtBy(without)) });
    expect(by.source).toMatchObject({ kind: 'recipe', recipe: { teaches: null } });
    expect(stepsOf(by)).toEqual(stepsOf(without));
  });

  it('given that later rules find another command, then the one that is known to work is run', () => {
    const known = knowing(otherwise(recipe, 'npm run test:old'), { rules: '1' });
    const plan = planned(null, SHOP, { recipe: known });
    const cart = plan.jobs.find(({ key }) => key === 'test-packages-cart');
    expect(cart?.steps.at(-1)?.run).toBe('npm run test:old');
    expect(plan.source.recipe?.teaches).toBeNull();
  });

  it('given that, then the job says so, and that its recipe is given up should it fail; others do not', () => {
    const plan = planned(null, SHOP, { recipe: knowing(otherwise(recipe, 'npm run test:old'), { rules: '1' }) });
    const departing = plan.jobs.filter(departsFromDiscovery);
    expect(departing.map(({ key }) => key)).toEqual(['test-packages-cart']);
    expect(departing[0]?.explanation.sentence).toMatch(
      / Discovery would run something else by now; should the job fail, its recipe is given up\.$/u,
    );
    const same = planned(null, SHOP, { recipe: knowing(recipe, { rules: '1' }) });
    expect(same.jobs.filter(departsFromDiscovery)).toEqual([]);
  });

  it('given many versions already, when one more would take something back, then it is not taught; what adds to them is', () => {
    const turned = otherwise(recipe, 'npm run test:old');
    const teaches = (known: Recipe, version: number) =>
      planned(null, SHOP, { recipe: knowing(known, { version }) }).source.recipe?.teaches?.version ?? null;
    expect([teaches(turned, 49), teaches(turned, 50)]).toEqual([50, null]);
    const [, ...others] = recipe.units;
    expect(teaches({ version: 1, units: others }, 500)).toBe(501);
    expect(planned(null, SHOP, { recipe: knowing(null, { version: 50 }) }).source.recipe?.teaches?.version).toBe(51);
  });

  it('given that later rules find a command more, then it is run too, and taught under the rules of the rest', () => {
    const [cart, ...others] = recipe.units;
    const plan = planned(null, SHOP, { recipe: knowing({ version: 1, units: others }, { rules: '1' }) });
    expect(keysOf(plan.jobs)).toContain('test-packages-cart');
    expect(plan.source.evidence).toContain('2 of 3 commands are its, the rest as discovered');
    expect(plan.summary).toContain('2 of 3 commands of the repository are those of recipe');
    expect(plan.source.recipe?.teaches).toMatchObject({ version: 2, rules: '1' });
    expect(taughtBy(plan).units).toContainEqual(cart);
  });

  it('given that later rules set a unit up otherwise for a command more, then what they say of it counts, and is told', () => {
    const files: Files = {
      ...SHOP,
      'packages/cart/package.json': '{"name":"@shop/cart","scripts":{"test":"node --test","lint":"eslint ."}}',
    };
    const units = recipeOf(files).units.map((unit) =>
      unit.id !== 'packages/cart'
        ? unit
        : { ...unit, env: { CI: 'old' }, commands: unit.commands.filter(({ kind }) => kind === 'test') },
    );
    const plan = planned(null, files, { recipe: knowing({ version: 1, units }, { rules: '1' }) });
    expect(stepsOf(plan)).toEqual(stepsOf(planned(null, files)));
    expect(plan.source.evidence).toContain('not for packages/cart, which discovery describes otherwise now');
    expect(taughtBy(plan)).toEqual(recipeOf(files));
  });

  it('given a job whose own command is in no recipe, when what is built for it is, then it follows the recipe as well', () => {
    const files: Files = {
      ...SHOP,
      'packages/money/package.json': json({ name: '@shop/money', version: '1.0.0', scripts: { build: 'tsc' } }),
    };
    const units = recipeOf(files).units.filter(({ id }) => id === 'packages/money');
    const plan = planned(null, files, { recipe: knowing({ version: 1, units }) });
    const follows = Object.fromEntries(plan.jobs.map((job) => [job.key, followsRecipe(job)]));
    expect(follows).toEqual({
      'build-packages-money': true,
      'test-packages-cart': true,
      'test-packages-greeting': false,
    });
  });

  it('given that later rules find a command less, then it is run still, whenever its unit is reached at all', () => {
    const units = recipe.units.map((unit) => ({
      ...unit,
      commands: [...unit.commands, ...unit.commands.map((each) => ({ ...each, kind: 'lint' as const }))],
    }));
    const known = knowing({ version: 1, units }, { rules: '1' });
    expect(keysOf(planned(SHOP, after, { recipe: known }).jobs)).toEqual([
      'lint-packages-cart',
      'lint-packages-money',
      'test-packages-cart',
      'test-packages-money',
    ]);
  });

  it('given that the very same rules describe a unit otherwise now, then what they find counts, and is told', () => {
    const plan = planned(null, SHOP, { recipe: knowing(otherwise(recipe, 'npm run test:old')) });
    expect(stepsOf(plan)).toEqual(stepsOf(planned(null, SHOP)));
    expect(plan.source.evidence).toContain('not for packages/cart, which discovery describes otherwise now');
    expect(taughtBy(plan)).toEqual(recipe);
  });

  it.each([
    [
      'stale',
      knowing(null, { stale: { staledAt: '2026-02-03T04:05:06.789Z', reason: 'test-a: no such command' } }),
      'is stale since 2026-02-03T04:05:06.789Z: test-a: no such command',
    ],
    ['lost', knowing(null), 'is no longer kept'],
  ])(
    'given a recipe that is %s, then it is discovered again, which is told, and the next version would be taught',
    (_, known, told) => {
      const plan = planned(null, SHOP, { recipe: known });
      expect(plan.source).toMatchObject({ kind: 'discovery', recipe: { used: null, teaches: { version: 2 } } });
      expect(plan.source.evidence).toContain(told);
      expect(stepsOf(plan)).toEqual(stepsOf(planned(null, SHOP)));
    },
  );

  it('given manifests that name nothing to run, then what is known to work is run', () => {
    const bare: Files = { ...SHOP, 'packages/cart/package.json': '{"name":"@shop/cart"}' };
    const { 'packages/money/package.json': _, 'packages/greeting/package.json': __, ...files } = bare;
    const known = knowing(
      { version: 1, units: recipe.units.filter(({ id }) => id === 'packages/cart') },
      { rules: '1' },
    );
    expect(planChange(inputsFor(null, files))).toMatchObject({ ok: false, code: 'nothing_to_run' });
    expect(keysOf(planned(null, files, { recipe: known }).jobs)).toEqual(['test-packages-cart']);
  });

  it('law: what was recorded of the inputs makes the same plan, byte for byte', () => {
    for (const known of [NOTHING_KNOWN, knowing(recipe), knowing(otherwise(recipe, 'make'), { rules: '1' })]) {
      const inputs = inputsFor(SHOP, after, { recipe: known });
      const recorded = JSON.parse(JSON.stringify(recordInputs(inputs))) as RecordedInputs;
      const [again, made] = [planChange(inputsFromRecord(recorded, null)), planChange(inputs)];
      expect(canonicalJson(again as never)).toBe(canonicalJson(made as never));
    }
  });

  it('law: plans with other recipes are of other constructions', () => {
    const known = [
      null,
      NOTHING_KNOWN,
      knowing(recipe),
      knowing(null),
      knowing(recipe, { version: 2 }),
      knowing(recipe, { rules: '1' }),
    ];
    const keys = known.map((each) => constructionKey(inputsFor(SHOP, after, { recipe: each })));
    expect(new Set(keys).size).toBe(known.length);
  });
});
