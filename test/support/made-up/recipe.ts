import type { Recipe, RecipeCommand, RecipeUnit } from '@delta-ci/contracts';

/** A unit of a recipe that runs its tests; `over` says what is different. */
export function aRecipeUnit(root: string, over: Partial<RecipeUnit> = {}): RecipeUnit {
  const command: RecipeCommand = {
    kind: 'test',
    step: { name: `test ${root}`, run: 'npm run test', workdir: root },
    evidence: `scripts.test of ${root}/package.json`,
    text: 'node --test',
    reports: [],
    outputs: [],
    joins: null,
  };
  return {
    id: root,
    name: root,
    root,
    ecosystem: 'npm',
    manifest: `${root}/package.json`,
    install: [{ name: 'install packages', run: 'npm ci', workdir: '.' }],
    hosts: ['registry.npmjs.org'],
    env: { CI: 'true' },
    toolchain: null,
    buildsFirst: [],
    buildBeforeTest: false,
    caches: [],
    commands: [command],
    ...over,
  };
}

/** A recipe of two packages. */
export function aRecipe(
  units: readonly RecipeUnit[] = ['packages/cart', 'packages/money'].map((root) => aRecipeUnit(root)),
): Recipe {
  return { version: 1, units: [...units] };
}
