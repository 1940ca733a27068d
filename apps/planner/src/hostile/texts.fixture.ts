import type { MadeTree } from '../../../../test/support/git-server/made-history.ts';
import { affects, everythingRuns, refused, runs, type Expected, type Hostile } from './place.fixture.ts';

/** Hostile manifests, lockfiles and configuration: what planning's own readers have to get past. */

const DEEP = 100_000;
const json = (value: unknown): string => JSON.stringify(value);
const nested = (open: string, close: string, core = '', depth = DEEP): string =>
  open.repeat(depth) + core + close.repeat(depth);

const files = (edits: MadeTree, expected: Expected): Hostile => ({
  make: async (place) => place.commit(edits),
  expected,
});

/** Each name stands for two of the one before: a few lines that say more than any memory holds. */
function aliases(levels: number): string {
  const lines = ['a0: &a0 ["lol","lol"]'];
  for (let level = 1; level <= levels; level += 1) {
    lines.push(`a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}*a${level - 1}]`);
  }
  return `${lines.join('\n')}\n`;
}

const entities = (root: string): string =>
  `<!DOCTYPE x [<!ENTITY a "lol">${Array.from({ length: 9 }, (_, at) => `<!ENTITY ${'abcdefghijk'[at + 1]} "${`&${'abcdefghijk'[at]};`.repeat(10)}">`).join('')}]><${root}>&j;</${root}>`;

const member = (name: string, more: Readonly<Record<string, unknown>>): string =>
  json({ name: `@shop/${name}`, scripts: { test: 'node --test' }, ...more });

const delta = (jobs: string): MadeTree => ({ 'delta.yaml': `version: 1\njobs:\n${jobs}` });

export const HOSTILE_TEXTS: Readonly<Record<string, Hostile>> = {
  'aliases without end in delta.yaml': files(
    { 'delta.yaml': `${aliases(12)}version: 1\njobs: *a12\n` },
    refused('invalid_config'),
  ),
  'aliases without end in pnpm-workspace.yaml': files(
    { 'pnpm-workspace.yaml': `${aliases(12)}packages: ["packages/*"]\ncatalog: *a12\n` },
    everythingRuns,
  ),
  'aliases without end in a lockfile of pnpm': files(
    {
      'pnpm-workspace.yaml': 'packages: ["packages/*"]\n',
      'pnpm-lock.yaml': `lockfileVersion: "9.0"\n${aliases(12)}importers: *a12\n`,
    },
    everythingRuns,
  ),
  'aliases without end in a compose file': files(
    { 'compose.yaml': `${aliases(12)}services: { a: { build: ., x: *a12 } }\n` },
    affects('compose.yaml'),
  ),
  'aliases without end in a Taskfile': files(
    { 'tool/Taskfile.yml': `version: "3"\n${aliases(12)}tasks: { test: { cmds: *a12 } }\n` },
    everythingRuns,
  ),
  'a merge key upon itself': files(
    { 'tool/Taskfile.yml': 'version: "3"\ntasks: &t\n  test: { cmds: [x] }\n  <<: *t\n' },
    runs('test-tool'),
  ),
  'JSON nested 100,000 levels in a manifest': files(
    {
      'packages/cart/package.json': `{"name":"@shop/cart","scripts":{"test":"x"},"dependencies":{"@shop/money":"*"},"jest":${nested('[', ']')}}`,
    },
    runs('test-packages-cart'),
  ),
  'JSON nested 100,000 levels in the root manifest': files(
    { 'package.json': `{"private":true,"workspaces":${nested('[', ']', '"packages/*"')}}` },
    everythingRuns,
  ),
  'records nested 100,000 levels in a lockfile of npm': files(
    {
      'package-lock.json': `{"lockfileVersion":1,"dependencies":${nested('{"x":{"version":"1","dependencies":', '}}', '{}')}}`,
    },
    everythingRuns,
  ),
  'brackets nested 100,000 levels in delta.yaml': files({ 'delta.yaml': nested('[', ']') }, refused('invalid_config')),
  'brackets nested 100,000 levels in pnpm-workspace.yaml': files(
    { 'pnpm-workspace.yaml': `packages: ${nested('[', ']')}\n` },
    everythingRuns,
  ),
  'comments and brackets nested in tsconfig.json': files(
    { 'packages/cart/tsconfig.json': nested('[/* */', ']') },
    runs('test-packages-cart'),
  ),
  'brackets nested 100,000 levels in Cargo.toml': files(
    { 'crate/Cargo.toml': `x = ${nested('[', ']')}\n` },
    everythingRuns,
  ),
  'a key of 100,000 parts in pyproject.toml': files(
    { 'py/pyproject.toml': `${'a.'.repeat(DEEP)}b = 1\n` },
    affects('py'),
  ),
  'tables of 100,000 parts in Cargo.lock': files(
    {
      'crate/Cargo.toml': '[package]\nname = "crate"\nversion = "1.0.0"\n',
      'crate/src/lib.rs': '',
      'crate/Cargo.lock': `[${'a.'.repeat(DEEP)}b]\n`,
    },
    affects('crate'),
  ),
  'elements nested 100,000 levels in pom.xml': files({ 'java/pom.xml': nested('<a>', '</a>') }, everythingRuns),
  'entities without end in pom.xml': files({ 'java/pom.xml': entities('project') }, everythingRuns),
  'an external entity in a project of .NET': files(
    {
      'net/App.csproj':
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Project Sdk="Microsoft.NET.Sdk">&a;</Project>',
    },
    everythingRuns,
  ),
  'an attribute of ten megabytes': files(
    { 'java/pom.xml': `<project a="${'x'.repeat(10 * 1_024 ** 2)}"></project>` },
    everythingRuns,
  ),
  'names of the prototype in a manifest': files(
    {
      'packages/cart/package.json':
        '{"name":"@shop/cart","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"scripts":{"test":"node --test","__proto__":"x","constructor":"y","toString":"z"},"dependencies":{"@shop/money":"*","__proto__":"*","constructor":"*"}}',
    },
    runs('test-packages-cart'),
  ),
  'a package called __proto__': files(
    {
      'packages/greeting/package.json': member('greeting', {
        name: '__proto__',
        dependencies: { constructor: '*', __proto__: '*' },
      }),
    },
    runs('test-packages-greeting'),
  ),
  'two units of one name': files(
    { 'packages/twin/package.json': member('money', {}), 'packages/twin/src/index.js': 'x' },
    runs('test-packages-twin', 'test-packages-cart'),
  ),
  'packages that need each other in circles, and themselves': files(
    {
      'packages/money/package.json': member('money', {
        dependencies: { '@shop/cart': '*', '@shop/money': '*' },
        scripts: { build: 'x', test: 'x' },
      }),
      'packages/cart/package.json': member('cart', {
        dependencies: { '@shop/money': '*' },
        scripts: { build: 'x', test: 'x' },
      }),
    },
    runs('test-packages-cart', 'test-packages-money'),
  ),
  'workspaces that hold themselves': files(
    {
      'package.json': json({
        private: true,
        workspaces: ['.', './', 'packages/..', '..', '../**', '/**', '**', 'packages/*'],
      }),
      'packages/cart/package.json': member('cart', { workspaces: ['../..', '../*', '.'] }),
    },
    runs('test-packages-cart'),
  ),
  'braces without end in workspaces': files(
    { 'package.json': json({ private: true, workspaces: ['packages/*', '{a,b}'.repeat(1_000), '{'.repeat(4_000)] }) },
    everythingRuns,
  ),
  'stars without end in workspaces': files(
    {
      'package.json': json({
        private: true,
        workspaces: [
          'packages/*',
          '**/'.repeat(1_000) + '*a'.repeat(500),
          ...Array.from({ length: 10_000 }, (_, at) => `**/x${at}/**/*y*z*`),
        ],
      }),
    },
    everythingRuns,
  ),
  'paths of delta.yaml that are made to explode': files(
    delta(
      `  one:\n    steps: [x]\n    paths: ["${'{a,b}'.repeat(500)}", "${'**/'.repeat(1_000)}x", "${'*a'.repeat(1_000)}", "**"]\n`,
    ),
    refused('invalid_config'),
  ),
  'a million jobs in delta.yaml': files(delta('  a: {steps: [x]}\n'.repeat(1_000_000)), refused('invalid_config')),
  'ten thousand jobs in delta.yaml': files(
    delta(Array.from({ length: 10_001 }, (_, at) => `  j${at}: {steps: [x]}\n`).join('')),
    refused('invalid_config'),
  ),
  'a matrix of more jobs than there are atoms': files(
    delta(
      `  one:\n    steps: [x]\n    matrix:\n${Array.from({ length: 50 }, (_, at) => `      r${at}: [${Array.from({ length: 50 }, (_each, n) => n).join(', ')}]\n`).join('')}`,
    ),
    refused('invalid_config'),
  ),
  'very many matrices': files(
    delta(
      Array.from(
        { length: 200 },
        (_, at) =>
          `  j${at}: {steps: [x], matrix: {a: [${Array.from({ length: 16 }, (_each, n) => n).join(',')}], b: [${Array.from({ length: 16 }, (_each, n) => n).join(',')}]}}\n`,
      ).join(''),
    ),
    refused('invalid_config'),
  ),
  'jobs that need each other in a circle': files(
    delta('  one: {steps: [x], needs: [two]}\n  two: {steps: [x], needs: [one]}\n'),
    refused('invalid_config'),
  ),
  'names of the prototype in delta.yaml': files(delta('  __proto__: {steps: [x]}\n'), refused('invalid_config')),
  'a script of a megabyte': files(
    {
      'packages/cart/package.json': member('cart', {
        scripts: { test: `node --test ${' '.repeat(1_024 ** 2)}`, lint: `eslint ${'a'.repeat(1_024 ** 2)}` },
      }),
    },
    runs('test-packages-cart'),
  ),
  'requirements of one name, very many times': files(
    { 'py/requirements.txt': 'x==1\n'.repeat(500_000), 'py/test_a.py': '' },
    affects('py'),
  ),
  'a hundred thousand targets in a Makefile': files(
    { 'tool/Makefile': Array.from({ length: 100_000 }, (_, at) => `test-${at}: test-${at + 1}\n\techo\n`).join('') },
    everythingRuns,
  ),
  'a thousand packages, each of which needs a hundred others': files(
    Object.fromEntries(
      Array.from({ length: 1_000 }, (_, at) => [
        `packages/p${at}/package.json`,
        member(`p${at}`, {
          dependencies: Object.fromEntries(
            Array.from({ length: Math.min(at, 100) }, (_each, n) => [`@shop/p${at - 1 - n}`, '*']),
          ),
        }),
      ]),
    ),
    runs('test-packages-p999'),
  ),
  'a lockfile that every package reaches all of': files(
    closures(1_000, 20_000),
    // A machine with less to do has a plan in time.
    {
      refused: ['planning_too_large', 'planning_timed_out'],
      planned: (plan) => (plan.jobs.length > 0 ? [] : ['nothing runs']),
    },
  ),
  'bytes that are no text in a manifest': {
    make: async (place) =>
      place.commit({ 'packages/cart/package.json': { object: await place.zeros(1_000), mode: '100644' } }),
    expected: refused('manifest_unreadable'),
  },
  'halves of characters in a manifest': files(
    {
      'packages/cart/package.json':
        '{"name":"\\ud800","scripts":{"test":"node \\udfff"},"dependencies":{"@shop/money":"*","\\ud83d":"*"}}',
    },
    runs('test-packages-cart'),
  ),
};

/** Every one of `members` reaches the whole of a chain of `depth` external packages. */
function closures(members: number, depth: number): MadeTree {
  const chain = Array.from({ length: depth }, (_, at): [string, unknown] => [
    `node_modules/x${at}`,
    { version: '1.0.0', dependencies: { [`x${at + 1}`]: '*' } },
  ]);
  return {
    'package-lock.json': json({ lockfileVersion: 3, packages: { '': {}, ...Object.fromEntries(chain) } }),
    ...Object.fromEntries(
      Array.from({ length: members }, (_, at) => [
        `packages/p${at}/package.json`,
        member(`p${at}`, { dependencies: { x0: '*' } }),
      ]),
    ),
  };
}
