import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkWorkspace } from '../../tools/lint/check-workspace.ts';
import { importsOf } from '../../tools/lint/imports-of.ts';
import { readWorkspace } from '../../tools/lint/read-workspace.ts';
import { rooms, type Room } from '../../tools/lint/rooms.ts';
import type { Project, Workspace } from '../../tools/lint/workspace.ts';

const root = resolve(import.meta.dirname, '../..');

/** A small lawful house: a pure lib, a lib on top of it, an app on top of both, and the test workshop. */
const table: Readonly<Record<string, Room>> = {
  words: { kind: 'lib', purpose: 'words', ours: [], packages: ['zod'], pure: true },
  store: { kind: 'lib', purpose: 'store', ours: ['words'], packages: ['pg', '@aws-sdk/*'] },
  shop: { kind: 'app', purpose: 'shop', ours: ['words', 'store'], packages: [] },
  stall: { kind: 'app', purpose: 'stall', ours: ['words'], packages: [] },
};

const project = (folder: string, imports: Readonly<Record<string, readonly string[]>>, more: object = {}): Project => {
  const [kind, name = kind] = folder.split('/');
  const used = Object.values(imports).flat();
  return {
    folder,
    packageName: `@delta-ci/${name}`,
    tags: [`room:${name}`, `kind:${kind?.replace(/s$/, '')}`],
    dependencies: Object.fromEntries(
      used.filter((module) => !/^(\.|node:)/.test(module)).map((module) => [module, '1.2.3']),
    ),
    doors: kind === 'libs' ? ['.'] : [],
    scripts: ['build'],
    references: used
      .filter((module) => module.startsWith('@delta-ci/'))
      .map((module) => module.replace('@delta-ci', 'libs')),
    sources: Object.entries(imports).map(([path, list]) => ({
      path: `${folder}/${path}`,
      imports: list,
      silences: false,
    })),
    annexes: [],
    ...more,
  };
};

const lawfulProjects = {
  words: project('libs/words', { 'src/index.ts': ['./word.ts'], 'src/word.ts': ['zod'] }),
  store: project('libs/store', { 'src/index.ts': ['@delta-ci/words', 'pg', 'node:fs', '@aws-sdk/client-s3'] }),
  shop: project('apps/shop', { 'src/main.ts': ['@delta-ci/words', '@delta-ci/store'] }),
  stall: project('apps/stall', { 'src/main.ts': ['@delta-ci/words'] }),
  test: project(
    'test',
    { 'support/clock.ts': ['@delta-ci/store'], 'rivals/race.mjs': ['rival'] },
    { dependencies: {}, annexes: [{ folder: 'test/rivals', dependencies: { rival: '1.2.3' } }] },
  ),
};

const rivals = (imports: Readonly<Record<string, readonly string[]>>, dependencies: object = { rival: '1.2.3' }) =>
  house({ test: project('test', imports, { dependencies: {}, annexes: [{ folder: 'test/rivals', dependencies }] }) });

function house(changed: Partial<Record<keyof typeof lawfulProjects, Project>> = {}, more: object = {}): Workspace {
  const projects = Object.values({ ...lawfulProjects, ...changed });
  const roomFolders = projects.map(({ folder }) => folder).filter((folder) => folder !== 'test');
  const files = projects.flatMap(({ folder, sources }) => [`${folder}/README.md`, ...sources.map(({ path }) => path)]);
  const peersOf = { pg: ['pg-native'] };
  return { projects, roomFolders, builtFolders: roomFolders, developmentPackages: ['jest'], peersOf, files, ...more };
}

const store = (path: string, imports: readonly string[], more: object = {}): Workspace =>
  house({ store: project('libs/store', { 'src/index.ts': ['@delta-ci/words'], [path]: imports }, more) });

const words = (path: string, imports: readonly string[]): Workspace =>
  house({ words: project('libs/words', { 'src/index.ts': [], [path]: imports }) });

const shop = (path: string, imports: readonly string[], more: object = {}): Workspace =>
  house({ shop: project('apps/shop', { [path]: imports }, more) });

const wholeShop = ['@delta-ci/words', '@delta-ci/store'];

const breaches: readonly (readonly [law: string, workspace: Workspace, breach: string])[] = [
  [
    'a package of an annex imported outside it fails',
    rivals({ 'support/clock.ts': ['rival'], 'rivals/race.mjs': ['rival'] }),
    "test/support/clock.ts: imports 'rival', which its package.json does not declare",
  ],
  [
    'a package that an annex does not need fails',
    rivals({ 'support/clock.ts': [], 'rivals/race.mjs': [] }),
    'test/rivals/package.json: declares rival, which nothing there imports',
  ],
  [
    'a package of an annex without one exact version fails',
    rivals({ 'support/clock.ts': [], 'rivals/race.mjs': ['rival'] }, { rival: '^1.0.0' }),
    `test/rivals/package.json: rival is '^1.0.0', not one exact version`,
  ],
  [
    'a project without tags fails',
    shop('src/main.ts', wholeShop, { tags: [] }),
    'apps/shop/package.json: lacks the tag room:shop',
  ],
  [
    'a project of the wrong kind fails',
    shop('src/main.ts', wholeShop, { tags: ['room:shop', 'kind:lib'] }),
    'apps/shop/package.json: lacks the tag kind:app',
  ],
  [
    'a room without a row fails',
    house({}, { projects: [...house().projects, project('libs/attic', { 'src/index.ts': [] })] }),
    'libs/attic: has no row in the import table',
  ],
  [
    'a row without a room fails',
    house({}, { projects: house().projects.slice(1) }),
    'import table: words has a row but no room',
  ],
  [
    'a folder that is no project fails',
    house({}, { roomFolders: ['libs/cellar'] }),
    'libs/cellar: is not a project of the workspace',
  ],
  ['an empty room fails', house({ shop: project('apps/shop', {}) }), 'apps/shop: is an empty room'],
  ['a room of specs alone is empty', shop('src/shop.spec.ts', ['@delta-ci/words']), 'apps/shop: is an empty room'],
  [
    'a room without README.md fails',
    house({}, { files: ['libs/words/src/index.ts', 'libs/store/src/index.ts', 'libs/words/README.md'] }),
    'libs/store: has no README.md that opens it',
  ],
  [
    'a lib without a door fails',
    house({ words: project('libs/words', { 'src/word.ts': [] }) }),
    'libs/words: has no door, src/index.ts',
  ],
  [
    'a second door fails',
    store('src/store.ts', [], { doors: ['.', './inside'] }),
    'libs/store: exports other paths than its door',
  ],
  [
    'a room that cannot be built fails',
    shop('src/main.ts', wholeShop, { scripts: [] }),
    'apps/shop: has no build script',
  ],
  [
    'a room that the root does not build fails',
    house({}, { builtFolders: ['libs/words', 'libs/store', 'apps/stall'] }),
    'tsconfig.json: does not build apps/shop',
  ],
  [
    'a file that silences the linter fails',
    shop('src/main.ts', [], { sources: [{ path: 'apps/shop/src/main.ts', imports: [], silences: true }] }),
    'apps/shop: silences the linter in apps/shop/src/main.ts',
  ],
  [
    'a folder that says nothing fails',
    house({}, { files: ['libs/words/src/utils/text.ts'] }),
    'libs/words/src/utils: is a name that says nothing about what is inside',
  ],
  [
    'a file that says nothing fails',
    house({}, { files: ['libs/words/src/helpers.ts'] }),
    'libs/words/src/helpers.ts: is a name that says nothing about what is inside',
  ],
  [
    'an arrow that the table does not have fails',
    house({ stall: project('apps/stall', { 'src/main.ts': ['@delta-ci/store'] }) }),
    `apps/stall/src/main.ts: imports '@delta-ci/store', but the import table gives stall no arrow to store`,
  ],
  [
    'a spec follows the arrows of its room',
    house({ stall: project('apps/stall', { 'src/main.ts': [], 'src/a.spec.ts': ['@delta-ci/store'] }) }),
    `apps/stall/src/a.spec.ts: imports '@delta-ci/store', but the import table gives stall no arrow to store`,
  ],
  [
    'an app that imports an app fails',
    shop('src/main.ts', ['@delta-ci/stall']),
    `apps/shop/src/main.ts: imports '@delta-ci/stall', an app, which nobody imports`,
  ],
  [
    'importing no room at all fails',
    shop('src/main.ts', ['@delta-ci/attic']),
    `apps/shop/src/main.ts: imports '@delta-ci/attic', which is no room of the import table`,
  ],
  [
    'going past a door fails',
    shop('src/main.ts', ['@delta-ci/store/src/index.ts']),
    `apps/shop/src/main.ts: imports '@delta-ci/store/src/index.ts', past the door of store: import '@delta-ci/store'`,
  ],
  [
    'climbing into another room fails',
    shop('src/main.ts', ['../../../libs/store/src/index.ts']),
    `apps/shop/src/main.ts: imports '../../../libs/store/src/index.ts', a file of another room, store`,
  ],
  [
    'climbing out of every room fails',
    shop('src/main.ts', ['../../../package.json']),
    `apps/shop/src/main.ts: imports '../../../package.json', a file outside every room`,
  ],
  [
    'shipped code that imports test fails',
    shop('src/main.ts', ['../../../test/support/clock.ts']),
    `apps/shop/src/main.ts: imports '../../../test/support/clock.ts', test, which is never shipped`,
  ],
  [
    'shipped code that imports what specs stand on fails',
    words('src/word.ts', ['./made-words.fixture.ts']),
    `libs/words/src/word.ts: imports './made-words.fixture.ts', which is there for specs alone`,
  ],
  [
    'an import path without its ending fails',
    words('src/word.ts', ['./letter']),
    `libs/words/src/word.ts: imports './letter', a path that does not end in .ts`,
  ],
  [
    'a pure room that imports the runtime fails',
    words('src/word.ts', ['node:fs']),
    `libs/words/src/word.ts: imports 'node:fs', the runtime, but the room is pure`,
  ],
  [
    'a package that the table does not have fails',
    store('src/store.ts', ['left-pad']),
    `libs/store/src/store.ts: imports 'left-pad', but the import table does not allow store that package`,
  ],
  [
    'a scope in the table does not open other scopes',
    store('src/store.ts', ['@aws-sdk-like/client']),
    `libs/store/src/store.ts: imports '@aws-sdk-like/client', but the import table does not allow store that package`,
  ],
  [
    'development packages are not for shipped code',
    store('src/store.ts', ['jest']),
    `libs/store/src/store.ts: imports 'jest', but the import table does not allow store that package`,
  ],
  [
    'a package that is not declared fails',
    store('src/store.ts', ['pg/lib/client.js'], { dependencies: { '@delta-ci/words': '0.1.0' } }),
    `libs/store/src/store.ts: imports 'pg/lib/client.js', which its package.json does not declare`,
  ],
  [
    'a room that is not declared fails',
    shop('src/main.ts', wholeShop, { dependencies: { '@delta-ci/words': '0.1.0' } }),
    `apps/shop/src/main.ts: imports '@delta-ci/store', which its package.json does not declare`,
  ],
  [
    'a dependency that is not used fails',
    store('src/store.ts', [], { dependencies: { '@delta-ci/words': '0.1.0', pg: '8.0.0' } }),
    'libs/store/package.json: declares pg, which nothing there imports',
  ],
  [
    'a loose version fails',
    store('src/store.ts', ['pg'], { dependencies: { '@delta-ci/words': '0.1.0', pg: '^8.0.0' } }),
    `libs/store/package.json: pg is '^8.0.0', not one exact version`,
  ],
  [
    'a missing reference fails',
    shop('src/main.ts', wholeShop, { references: ['libs/words'] }),
    'apps/shop/tsconfig.json: does not refer to libs/store, which the room imports',
  ],
  [
    'a stray reference fails',
    house({ stall: project('apps/stall', { 'src/main.ts': [] }, { references: ['libs/words'] }) }),
    'apps/stall/tsconfig.json: refers to libs/words, which the room does not import',
  ],
  ['rooms in a circle fail', words('src/word.ts', ['@delta-ci/store']), 'rooms in a circle: words -> store -> words'],
];

describe('the laws of the house', () => {
  it('have nothing to say about a lawful house', () => {
    expect(checkWorkspace(house(), table)).toEqual([]);
  });

  it.each(breaches)('%s', (_law, workspace, breach) => {
    expect(checkWorkspace(workspace, table)).toContain(breach);
  });

  it.each([
    ['a spec may use development packages', 'src/a.spec.ts', ['jest']],
    ['a spec may use the test workshop', 'src/a.spec.ts', ['../../../test/support/clock.ts']],
    ['a fixture may use the test workshop', 'src/a.fixture.ts', ['../../../test/support/clock.ts']],
    ['a file may be deep in an allowed package', 'src/a.ts', ['pg/lib/client.js']],
  ])('%s', (_permission, path, imports) => {
    const declared = { '@delta-ci/words': '0.1.0', ...(imports[0] === 'pg/lib/client.js' ? { pg: '8.0.0' } : {}) };
    expect(checkWorkspace(store(path, imports, { dependencies: declared }), table)).toEqual([]);
  });

  it('a dependency may be there because an imported package asks for it', () => {
    const dependencies = { '@delta-ci/words': '0.1.0', pg: '8.0.0', 'pg-native': '3.0.0' };
    expect(checkWorkspace(store('src/store.ts', ['pg'], { dependencies }), table)).toEqual([]);
  });

  it.each([
    [
      'a pure room that leans on one that is not',
      'words',
      ['store'],
      'import table: words is pure but leans on store, which is not',
    ],
    ['an arrow to an app', 'store', ['shop'], 'import table: store has an arrow to shop, which is no lib'],
    ['a circle of rows', 'words', ['store'], 'rooms in a circle: words -> store -> words'],
  ])('the table itself may not hold %s', (_law, name, ours, breach) => {
    const bent = {
      ...table,
      [name]: { kind: 'lib' as const, purpose: name, packages: ['zod'], pure: true as const, ours },
    };
    expect(checkWorkspace(house(), bent)).toContain(breach);
  });
});

describe('importsOf', () => {
  it.each([
    [`import { a } from './a.ts';`, ['./a.ts']],
    [`import type { A } from './a.ts';`, ['./a.ts']],
    [`import './a.ts';`, ['./a.ts']],
    [`export { a } from './a.ts';`, ['./a.ts']],
    [`export * from './a.ts';`, ['./a.ts']],
    [`const a = await import('./a.ts');`, ['./a.ts']],
    [`type A = import('./a.ts').A;`, ['./a.ts']],
    [`type A = typeof import('./a.ts');`, ['./a.ts']],
    [`const a = require('a');`, ['a']],
    [`import a = require('a');`, ['a']],
    [`const a = require.resolve('a/package.json');`, ['a/package.json']],
    [`const a = paths.resolve('a');`, []],
    [`const a = await import(name);`, ['<computed>']],
    [`class A { constructor(@Inject() private readonly b: import('b').B) {} }`, ['b']],
    [`const text = "import { a } from './a.ts'"; // import './b.ts'`, []],
  ])('finds what %s names', (source, names) => {
    expect(importsOf(source)).toEqual(names);
  });
});

describe('this workspace', () => {
  const workspace = readWorkspace(root);

  it('keeps every law', () => {
    expect(checkWorkspace(workspace, rooms)).toEqual([]);
  });

  it('has no project that only Nx knows', () => {
    const env = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true' };
    const program = join(root, 'node_modules/nx/dist/bin/nx.js');
    const shown = execFileSync(process.execPath, [program, 'show', 'projects', '--json'], {
      cwd: root,
      env,
      encoding: 'utf8',
    });
    const projects: string[] = JSON.parse(shown);
    expect(projects.toSorted()).toEqual(workspace.projects.map(({ packageName }) => packageName).toSorted());
  });
});
