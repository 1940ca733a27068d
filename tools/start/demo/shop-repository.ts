import type { FileChanges } from '../../../test/support/git-server/bare-repository.ts';

/** Its name on the forge. */
export const DEMO_REPOSITORY = 'demo/shop';
/** Another one there, empty, for code of one's own. */
export const OWN_REPOSITORY = 'demo/yours';

/**
 * The demonstration repository: a small npm workspace with three packages. `cart` depends on `money`; `greeting` depends
 * on nothing, so that a change of `money` shows what runs, what does not, and why.
 */
export const SHOP_REPOSITORY: FileChanges = {
  'README.md': '# Shop\n\nThree small packages: money, a cart that adds it up, and a greeting.\n',
  '.gitignore': 'node_modules/\n',
  'package.json': json({
    name: 'shop',
    private: true,
    workspaces: ['packages/*'],
    engines: { node: '>=20' },
  }),
  'package-lock.json': json({
    name: 'shop',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'shop', workspaces: ['packages/*'], engines: { node: '>=20' } },
      'node_modules/@shop/cart': { resolved: 'packages/cart', link: true },
      'node_modules/@shop/greeting': { resolved: 'packages/greeting', link: true },
      'node_modules/@shop/money': { resolved: 'packages/money', link: true },
      'packages/cart': { name: '@shop/cart', version: '1.0.0', dependencies: { '@shop/money': '1.0.0' } },
      'packages/greeting': { name: '@shop/greeting', version: '1.0.0' },
      'packages/money': { name: '@shop/money', version: '1.0.0' },
    },
  }),
  'packages/money/package.json': packageJson('money', {}),
  'packages/money/src/index.js': `/** Adds amounts in cents. */
export function add(...cents) {
  return cents.reduce((sum, amount) => sum + amount, 0);
}

/** \`1234\` as \`12.34\`. */
export function format(cents) {
  return (cents / 100).toFixed(2);
}
`,
  'packages/money/test/money.test.js': `import assert from 'node:assert/strict';
import test from 'node:test';
import { add, format } from '../src/index.js';

test('adds cents', () => assert.equal(add(199, 1), 200));
test('formats cents', () => assert.equal(format(1234), '12.34'));
`,
  'packages/cart/package.json': packageJson('cart', { '@shop/money': '1.0.0' }),
  'packages/cart/src/index.js': `import { add, format } from '@shop/money';

/** What the customer pays, as text. */
export function total(lines) {
  return format(add(...lines.map(({ cents, count }) => cents * count)));
}
`,
  'packages/cart/test/cart.test.js': `import assert from 'node:assert/strict';
import test from 'node:test';
import { total } from '../src/index.js';

test('an empty cart costs nothing', () => assert.equal(total([]), '0.00'));
test('lines are added up', () => assert.equal(total([{ cents: 250, count: 2 }, { cents: 99, count: 1 }]), '5.99'));
`,
  'packages/greeting/package.json': packageJson('greeting', {}),
  'packages/greeting/src/index.js': 'export const greet = (name) => `Hello, ${name}!`;\n',
  'packages/greeting/test/greeting.test.js': `import assert from 'node:assert/strict';
import test from 'node:test';
import { greet } from '../src/index.js';

test('greets by name', () => assert.equal(greet('Ada'), 'Hello, Ada!'));
`,
};

/** A sound change of one package: its own tests and those of the package that depends on it have to run. */
export const SOUND_CHANGE = {
  message: 'money: subtract amounts',
  files: {
    'packages/money/src/index.js': `/** Adds amounts in cents. */
export function add(...cents) {
  return cents.reduce((sum, amount) => sum + amount, 0);
}

/** Takes amounts in cents away from the first. */
export function subtract(first, ...others) {
  return first - add(...others);
}

/** \`1234\` as \`12.34\`. */
export function format(cents) {
  return (cents / 100).toFixed(2);
}
`,
    'packages/money/test/money.test.js': `import assert from 'node:assert/strict';
import test from 'node:test';
import { add, format, subtract } from '../src/index.js';

test('adds cents', () => assert.equal(add(199, 1), 200));
test('subtracts cents', () => assert.equal(subtract(200, 50, 25), 125));
test('formats cents', () => assert.equal(format(1234), '12.34'));
`,
  } satisfies FileChanges,
};

/** A change that breaks a test of another package than the one it touches. */
export const BREAKING_CHANGE = {
  message: 'money: show whole amounts without decimals',
  files: {
    'packages/money/src/index.js': `/** Adds amounts in cents. */
export function add(...cents) {
  return cents.reduce((sum, amount) => sum + amount, 0);
}

/** Takes amounts in cents away from the first. */
export function subtract(first, ...others) {
  return first - add(...others);
}

/** \`1234\` as \`12.34\`, \`1200\` as \`12\`. */
export function format(cents) {
  return cents % 100 === 0 ? String(cents / 100) : (cents / 100).toFixed(2);
}
`,
  } satisfies FileChanges,
};

function packageJson(name: string, dependencies: Record<string, string>): string {
  return json({
    name: `@shop/${name}`,
    version: '1.0.0',
    type: 'module',
    exports: './src/index.js',
    scripts: { test: 'node --test' },
    ...(Object.keys(dependencies).length === 0 ? {} : { dependencies }),
  });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
