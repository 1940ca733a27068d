/**
 * What the lint configuration must catch: for each promise of the house, a file that breaks it, and the rule that has
 * to speak. The path matters as much as the text, because rules differ by room.
 */
export interface Violation {
  readonly promise: string;
  /** Where the file stands in the workspace. */
  readonly path: string;
  readonly source: string;
  /** `plugin(rule)` as oxlint names it. */
  readonly rule: string;
}

const lines = (count: number): string => Array.from({ length: count }, (_, i) => `  n += ${i};`).join('\n');
const longFunction = `export function long(): number {\n  let n = 0;\n${lines(70)}\n  return n;\n}\n`;
const union = `type Colour = 'red' | 'green' | 'blue';\n`;

const everywhere: readonly Violation[] = [
  {
    promise: '`any` is an error',
    path: 'libs/bus/src/loose.ts',
    source: 'export const loose = (value: any): string => String(value);\n',
    rule: 'typescript(no-explicit-any)',
  },
  {
    promise: 'a value of type `any` is not used',
    path: 'libs/bus/src/unsafe.ts',
    source: `export const port: number = JSON.parse('1');\n`,
    rule: 'typescript(no-unsafe-assignment)',
  },
  {
    promise: 'the type checker is not switched off by asserting twice',
    path: 'libs/bus/src/double.ts',
    source: 'export const id = 1 as unknown as string;\n',
    rule: 'house(no-double-assertion)',
  },
  {
    promise: 'type errors are not silenced',
    path: 'libs/bus/src/silenced.ts',
    source: `// @ts-ignore\nexport const n: number = 'n';\n`,
    rule: 'typescript(ban-ts-comment)',
  },
  {
    promise: 'a promise is awaited',
    path: 'apps/gateway/src/floating.ts',
    source: 'export function start(): void {\n  Promise.resolve(1);\n}\n',
    rule: 'typescript(no-floating-promises)',
  },
  {
    promise: 'a promise is not taken for a condition',
    path: 'apps/gateway/src/misused.ts',
    source: 'export const ready = (asked: Promise<boolean>): string => (asked ? `yes` : `no`);\n',
    rule: 'typescript(no-misused-promises)',
  },
  {
    promise: 'only promises are awaited',
    path: 'apps/gateway/src/awaited.ts',
    source: 'export async function one(): Promise<number> {\n  return await 1;\n}\n',
    rule: 'typescript(await-thenable)',
  },
  {
    promise: 'a switch names every case, even beside a default',
    path: 'apps/gateway/src/switched.ts',
    source: `${union}export function warm(colour: Colour): boolean {\n  switch (colour) {\n    case 'red':\n      return true;\n    default:\n      return false;\n  }\n}\n`,
    rule: 'typescript(switch-exhaustiveness-check)',
  },
  {
    promise: 'functions over 70 lines fail',
    path: 'apps/gateway/src/long.ts',
    source: longFunction,
    rule: 'eslint(max-lines-per-function)',
  },
  {
    promise: 'nothing is left unused',
    path: 'libs/bus/src/unused.ts',
    source: `const unused = 1;\nexport const used = 2;\n`,
    rule: 'eslint(no-unused-vars)',
  },
  {
    promise: 'files do not import each other in a circle',
    path: 'libs/bus/src/ring-a.ts',
    source: `import { b } from './ring-b.ts';\nexport const a = (): number => b() + 1;\n`,
    rule: 'import(no-cycle)',
  },
  {
    promise: 'a circle of types is a circle',
    path: 'libs/bus/src/type-ring-a.ts',
    source: `import type { B } from './type-ring-b.ts';\nexport interface A {\n  readonly b?: B;\n}\n`,
    rule: 'import(no-cycle)',
  },
  {
    promise: 'a door lists its names',
    path: 'libs/bus/src/index.ts',
    source: `export * from './ring-b.ts';\n`,
    rule: 'house(no-export-star)',
  },
  {
    promise: 'a lib is entered through its door',
    path: 'apps/gateway/src/deep.ts',
    source: `import { a } from '@delta-ci/bus/src/ring-a.ts';\nexport const twice = a() + a();\n`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    promise: 'services log, they do not print',
    path: 'apps/gateway/src/printing.ts',
    source: `console.log('hello');\nexport const printed = true;\n`,
    rule: 'eslint(no-console)',
  },
  {
    promise: 'libs do not print',
    path: 'libs/bus/src/printing.ts',
    source: `console.error('hello');\nexport const printed = true;\n`,
    rule: 'eslint(no-console)',
  },
  {
    promise: 'the environment is read at the edge',
    path: 'apps/gateway/src/configured.ts',
    source: `export const home = process.env['HOME'];\n`,
    rule: 'eslint(no-restricted-properties)',
  },
  {
    promise: 'the environment is not unpacked either',
    path: 'libs/bus/src/configured.ts',
    source: `const { env } = process;\nexport const home = env['HOME'];\n`,
    rule: 'eslint(no-restricted-properties)',
  },
  {
    promise: 'the environment is not imported either',
    path: 'libs/bus/src/imported-environment.ts',
    source: `import { env } from 'node:process';\nexport const home = env['HOME'];\n`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    promise: 'nothing is left to do',
    path: 'libs/bus/src/unfinished.ts',
    source: `// fixme: finish\nexport const finished = false;\n`,
    rule: 'eslint(no-warning-comments)',
  },
  {
    promise: 'what is thrown is an error',
    path: 'libs/bus/src/thrown.ts',
    source: `export function fail(): never {\n  throw 'broken';\n}\n`,
    rule: 'typescript(only-throw-error)',
  },
];

const inPureRooms: readonly Violation[] = [
  ['no clock', `export const now = Date.now();\n`, 'eslint(no-restricted-globals)'],
  ['no clock by construction', `export const now = new Date();\n`, 'eslint(no-restricted-globals)'],
  [
    'no clock by way of the global object',
    `export const now = globalThis.Date.now();\n`,
    'eslint(no-restricted-globals)',
  ],
  ['no monotonic clock', `export const now = performance.now();\n`, 'eslint(no-restricted-globals)'],
  [
    'no waiting',
    `export const wait = (then: () => void): unknown => setTimeout(then, 1);\n`,
    'eslint(no-restricted-globals)',
  ],
  ['no randomness', `export const dice = Math.random();\n`, 'eslint(no-restricted-properties)'],
  ['no random ids', `export const id = crypto.randomUUID();\n`, 'eslint(no-restricted-globals)'],
  ['no environment', `export const home = process.env['HOME'];\n`, 'eslint(no-restricted-globals)'],
  ['no network', `export const ask = (): unknown => fetch('http://127.0.0.1');\n`, 'eslint(no-restricted-globals)'],
  ['no node builtins', `import { sep } from 'node:path';\nexport const up = sep;\n`, 'eslint(no-restricted-imports)'],
  [
    'no node builtins without prefix',
    `import { sep } from 'path';\nexport const up = sep;\n`,
    'eslint(no-restricted-imports)',
  ],
  [
    'no promises',
    `export async function decide(): Promise<number> {\n  return await Promise.resolve(1);\n}\n`,
    'house(synchronous)',
  ],
].flatMap(([promise, source, rule], n) =>
  ['contracts', 'domain', 'planning', 'analysis'].map((room) => ({
    promise: `${promise} in ${room}`,
    path: `libs/${room}/src/impure-${n}.ts`,
    source: source ?? '',
    rule: rule ?? '',
  })),
);

const jest = `import { describe, expect, it } from '@jest/globals';\n`;

const inSpecs: readonly Violation[] = [
  {
    promise: 'a spec does not sleep',
    path: 'libs/bus/src/sleeping.spec.ts',
    source: `import { setTimeout } from 'node:timers/promises';\nexport const nap = setTimeout(10);\n`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    promise: 'a spec does not sleep by hand',
    path: 'libs/bus/src/dozing.spec.ts',
    source: `export const nap = new Promise((wake) => setTimeout(wake, 10));\n`,
    rule: 'eslint(no-restricted-globals)',
  },
  {
    promise: 'no spec is singled out',
    path: 'libs/bus/src/focused.spec.ts',
    source: `${jest}describe('x', () => {\n  it.only('y', () => {\n    expect(1).toBe(1);\n  });\n});\n`,
    rule: 'jest(no-focused-tests)',
  },
  {
    promise: 'no spec is skipped',
    path: 'libs/bus/src/skipped.spec.ts',
    source: `${jest}describe('x', () => {\n  it.skip('y', () => {\n    expect(1).toBe(1);\n  });\n});\n`,
    rule: 'jest(no-disabled-tests)',
  },
  {
    promise: 'type-aware rules see specs too',
    path: 'libs/bus/src/floating.spec.ts',
    source: `${jest}it('y', () => {\n  Promise.resolve(1);\n  expect(1).toBe(1);\n});\n`,
    rule: 'typescript(no-floating-promises)',
  },
];

export const violations: readonly Violation[] = [...everywhere, ...inPureRooms, ...inSpecs];

/** The other halves of the circles above. */
export const ringPartners: readonly { readonly path: string; readonly source: string }[] = [
  { path: 'libs/bus/src/ring-b.ts', source: `import { a } from './ring-a.ts';\nexport const b = (): number => a();\n` },
  {
    path: 'libs/bus/src/type-ring-b.ts',
    source: `import type { A } from './type-ring-a.ts';\nexport type B = A | null;\n`,
  },
];

/** Files that keep every rule, some only because of where they stand; none may be reported. */
export const lawfulFiles: readonly { readonly path: string; readonly source: string }[] = [
  { path: 'libs/service/src/settings.ts', source: `export const home = process.env['HOME'];\n` },
  { path: 'apps/gateway/src/main.ts', source: `export const home = process.env['HOME'];\n` },
  { path: 'apps/cli/src/greeting.ts', source: `console.log('hello');\nexport const greeted = true;\n` },
  { path: 'tools/printing.ts', source: `console.log(process.env['HOME']);\nexport const printed = true;\n` },
  { path: 'libs/bus/src/clock.ts', source: `export const now = (): number => Date.now();\n` },
  { path: 'libs/bus/src/short.ts', source: longFunction.replace(lines(70), lines(66)) },
  {
    path: 'libs/domain/src/colours.ts',
    source: `${union}export function warm(colour: Colour): boolean {\n  switch (colour) {\n    case 'red':\n      return true;\n    case 'green':\n    case 'blue':\n      return false;\n  }\n}\n`,
  },
];
