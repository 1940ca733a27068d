import type { Files } from './planned-repository.fixture.ts';

/** A workspace of three packages without external ones: cart depends on money, greeting on nothing. */
export const SHOP: Files = {
  'README.md': '# Shop\n',
  'package.json': json({ name: 'shop', private: true, workspaces: ['packages/*'], engines: { node: '>=20' } }),
  'package-lock.json': json({
    name: 'shop',
    lockfileVersion: 3,
    packages: {
      '': { name: 'shop', workspaces: ['packages/*'] },
      'node_modules/@shop/cart': { resolved: 'packages/cart', link: true },
      'node_modules/@shop/greeting': { resolved: 'packages/greeting', link: true },
      'node_modules/@shop/money': { resolved: 'packages/money', link: true },
      'packages/cart': { name: '@shop/cart', version: '1.0.0', dependencies: { '@shop/money': '1.0.0' } },
      'packages/greeting': { name: '@shop/greeting', version: '1.0.0' },
      'packages/money': { name: '@shop/money', version: '1.0.0' },
    },
  }),
  'packages/money/package.json': shopPackage('money', {}),
  'packages/money/src/index.js': 'export const add = (...cents) => cents.reduce((a, b) => a + b, 0);\n',
  'packages/cart/package.json': shopPackage('cart', { '@shop/money': '1.0.0' }),
  'packages/cart/src/index.js': "import { add } from '@shop/money';\n",
  'packages/greeting/package.json': shopPackage('greeting', {}),
  'packages/greeting/src/index.js': 'export const greet = () => 0;\n',
};

export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

export function shopPackage(name: string, dependencies: Files, more: Readonly<Record<string, unknown>> = {}): string {
  return json({ name: `@shop/${name}`, version: '1.0.0', scripts: { test: 'node --test' }, dependencies, ...more });
}
