import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MadeTree } from '../../../test/support/git-server/made-history.ts';
import { OddRepositories, affectedBy, toldOf } from './odd-repository.fixture.ts';

/** Changes that are not just other lines in a file, each made in a real repository and read back as the planner reads it. */

const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const packageOf = (name: string, more: Readonly<Record<string, unknown>> = {}): string =>
  text({ name: `@shop/${name}`, scripts: { test: 'node --test' }, ...more });

const ROUND = 'export const round = (cents) => Math.round(cents / 100) * 100;\n';

/** Cart is made of money; greeting and support stand alone. */
const SHOP: MadeTree = {
  'README.md': '# Shop\n',
  'package.json': text({ name: 'shop', private: true, workspaces: ['packages/*'] }),
  'packages/money/package.json': packageOf('money'),
  'packages/money/src/index.js': 'export const add = (...cents) => cents.reduce((a, b) => a + b, 0);\n',
  'packages/money/src/round.js': ROUND,
  'packages/cart/package.json': packageOf('cart', { dependencies: { '@shop/money': '*' } }),
  'packages/cart/src/index.js': "import { add } from '@shop/money';\n",
  'packages/greeting/package.json': packageOf('greeting', { scripts: { test: 'node --test', lint: 'eslint .' } }),
  'packages/greeting/src/index.js': 'export const greet = () => 0;\n',
  'packages/support/package.json': packageOf('support'),
  'packages/support/src/index.js': 'export const help = () => 1;\n',
};

const MONEY = ['packages/cart', 'packages/money'];
const EVERY_PACKAGE = ['.', 'packages/cart', 'packages/greeting', 'packages/money', 'packages/support'];
const ONE = '1'.repeat(40);
const OTHER = '2'.repeat(40);

/** `{ path: null }` takes a path away. */
type Edits = Readonly<Record<string, MadeTree[string] | null>>;

function edited(tree: MadeTree, edits: Edits): MadeTree {
  const entries = Object.entries({ ...tree, ...edits });
  return Object.fromEntries(entries.filter((entry): entry is [string, MadeTree[string]] => entry[1] !== null));
}

interface OddChange {
  /** What there is before, besides the shop. */
  readonly with?: Edits;
  readonly change: Edits;
  readonly affects: readonly string[];
  /** Part of what the plan says about each of these files. */
  readonly told: Readonly<Record<string, string>>;
}

const CHANGES: Readonly<Record<string, OddChange>> = {
  'a deleted file': {
    change: { 'packages/money/src/round.js': null },
    affects: MONEY,
    told: { 'packages/money/src/round.js': 'was deleted: it belongs to packages/money' },
  },
  'the last file of a unit': {
    change: { 'packages/support/package.json': null, 'packages/support/src/index.js': null },
    affects: [],
    told: { 'packages/support/package.json': 'unit-removed' },
  },
  'a file renamed within its unit': {
    change: { 'packages/money/src/round.js': null, 'packages/money/src/rounding.js': ROUND },
    affects: MONEY,
    told: { 'packages/money/src/rounding.js': 'was renamed from packages/money/src/round.js' },
  },
  'a file renamed across units': {
    change: { 'packages/money/src/round.js': null, 'packages/greeting/src/round.js': ROUND },
    affects: ['packages/cart', 'packages/greeting', 'packages/money'],
    told: { 'packages/greeting/src/round.js': 'was renamed from packages/money/src/round.js' },
  },
  'a name that differs in case alone': {
    change: { 'packages/money/src/round.js': null, 'packages/money/src/Round.js': ROUND },
    affects: MONEY,
    told: { 'packages/money/src/Round.js': 'was renamed from packages/money/src/round.js' },
  },
  'a readme whose name differs in case alone': {
    change: { 'README.md': null, 'Readme.md': '# Shop\n' },
    affects: [],
    told: { 'Readme.md': 'documentation: Readme.md was renamed from README.md' },
  },
  'a file that can be run now': {
    change: { 'packages/money/src/round.js': { program: ROUND } },
    affects: MONEY,
    told: { 'packages/money/src/round.js': 'ownership' },
  },
  'a program that is called like prose': {
    with: { 'packages/money/bin/history': { program: '#!/bin/sh\n' } },
    change: { 'packages/money/bin/history': { program: '#!/bin/sh\nexit 1\n' } },
    affects: MONEY,
    told: { 'packages/money/bin/history': 'ownership' },
  },
  'a link that leads elsewhere': {
    with: { 'packages/money/data': { link: 'src/index.js' } },
    change: { 'packages/money/data': { link: 'src/round.js' } },
    affects: MONEY,
    told: { 'packages/money/data': 'link' },
  },
  'a link called like prose that leads elsewhere': {
    with: { 'packages/money/support': { link: '../../one' } },
    change: { 'packages/money/support': { link: '../../other' } },
    affects: MONEY,
    told: { 'packages/money/support': 'link' },
  },
  'a licence that is a link': {
    with: { LICENSE: 'yours\n', 'packages/money/LICENSE': { link: '../../LICENSE' } },
    change: { LICENSE: 'mine\n' },
    affects: MONEY,
    told: { LICENSE: 'declared-input' },
  },
  'what a link out of its unit leads to': {
    with: { 'packages/greeting/src/money.js': { link: '../../money/src/index.js' } },
    change: { 'packages/money/src/index.js': 'other\n' },
    affects: ['packages/cart', 'packages/greeting', 'packages/money'],
    told: { 'packages/money/src/index.js': 'ownership' },
  },
  'a unit whose folder is called like prose and linked to': {
    with: { 'packages/greeting/help': { link: '../support' } },
    change: { 'packages/support/src/index.js': 'other\n' },
    affects: ['packages/greeting', 'packages/support'],
    told: { 'packages/support/src/index.js': 'ownership' },
  },
  'settings of nobody that a link leads to': {
    with: {
      'config/eslint.config.js': 'export default [];\n',
      'packages/greeting/eslint.config.js': { link: '../../config/eslint.config.js' },
    },
    change: { 'config/eslint.config.js': 'export default [1];\n' },
    affects: ['packages/greeting'],
    told: { 'config/eslint.config.js': 'packages/greeting' },
  },
  'a file below a folder that a link leads to': {
    with: {
      'config/lint/eslint.config.js': 'export default [];\n',
      'packages/greeting/lint': { link: '../../config/lint' },
    },
    change: { 'config/lint/eslint.config.js': 'export default [1];\n' },
    affects: ['packages/greeting'],
    told: { 'config/lint/eslint.config.js': 'packages/greeting' },
  },
  'a file that became a link': {
    change: { 'packages/money/src/round.js': { link: 'index.js' } },
    affects: MONEY,
    told: { 'packages/money/src/round.js': 'was type-changed' },
  },
  'a link that became a file': {
    with: { 'packages/money/src/data.js': { link: 'index.js' } },
    change: { 'packages/money/src/data.js': 'now a file\n' },
    affects: MONEY,
    told: { 'packages/money/src/data.js': 'was type-changed' },
  },
  'a unit whose folder became a link': {
    change: {
      'packages/support/package.json': null,
      'packages/support/src/index.js': null,
      'packages/support': { link: '../elsewhere' },
    },
    affects: ['.', 'packages/cart', 'packages/greeting', 'packages/money'],
    told: { 'packages/support': 'link' },
  },
  'a submodule of nobody that moved on': {
    with: { 'vendor/lib': { submodule: ONE }, 'package.json': null },
    change: { 'vendor/lib': { submodule: OTHER } },
    affects: EVERY_PACKAGE.slice(1),
    told: { 'vendor/lib': 'shared-file' },
  },
  'a submodule of the workspace that moved on': {
    with: { 'vendor/lib': { submodule: ONE } },
    change: { 'vendor/lib': { submodule: OTHER } },
    affects: EVERY_PACKAGE,
    told: { 'vendor/lib': 'submodule' },
  },
  'a submodule within a unit that moved on': {
    with: { 'packages/money/vendor': { submodule: ONE } },
    change: { 'packages/money/vendor': { submodule: OTHER } },
    affects: MONEY,
    told: { 'packages/money/vendor': 'submodule' },
  },
  'a submodule called like prose that moved on': {
    with: { 'packages/money/security': { submodule: ONE } },
    change: { 'packages/money/security': { submodule: OTHER } },
    affects: MONEY,
    told: { 'packages/money/security': 'submodule' },
  },
  'a submodule that an image is made of': {
    with: {
      'packages/money/vendor': { submodule: ONE },
      'images/Dockerfile': 'FROM scratch\nCOPY packages/money/vendor/src /src\n',
    },
    change: { 'packages/money/vendor': { submodule: OTHER } },
    affects: ['images/Dockerfile', ...MONEY],
    told: { 'packages/money/vendor': 'images' },
  },
  'a submodule more': {
    change: { '.gitmodules': '[submodule "lib"]\n', 'packages/money/lib': { submodule: ONE } },
    affects: EVERY_PACKAGE,
    told: { '.gitmodules': 'checkout-configuration', 'packages/money/lib': 'submodule' },
  },
  'a submodule less': {
    with: { '.gitmodules': '[submodule "lib"]\n', 'packages/money/lib': { submodule: ONE } },
    change: { '.gitmodules': null, 'packages/money/lib': null },
    affects: EVERY_PACKAGE,
    told: { 'packages/money/lib': 'submodule' },
  },
  'a unit in whose place there is a submodule': {
    change: {
      'packages/support/package.json': null,
      'packages/support/src/index.js': null,
      'packages/support': { submodule: ONE },
    },
    affects: ['.', 'packages/cart', 'packages/greeting', 'packages/money'],
    told: { 'packages/support': 'submodule' },
  },
};

describe('odd changes', () => {
  let repositories: OddRepositories;
  beforeAll(async () => {
    repositories = await OddRepositories.open();
  });
  afterAll(async () => repositories.close());

  it.each(Object.entries(CHANGES))('given %s, then whoever has to do with it is affected', async (_, odd) => {
    const before = edited(SHOP, odd.with ?? {});
    const repository = await repositories.of([{ tree: before }, { tree: edited(before, odd.change) }]);
    const plan = await repository.between(0, 1);
    const said = Object.keys(odd.told).map((path): [string, string] => [path, toldOf(plan, path)]);
    expect({ affects: affectedBy(plan), said: Object.fromEntries(said) }).toEqual({
      affects: odd.affects,
      said: Object.fromEntries(
        Object.entries(odd.told).map(([path, part]): [string, unknown] => [path, expect.stringContaining(part)]),
      ),
    });
  });
});
