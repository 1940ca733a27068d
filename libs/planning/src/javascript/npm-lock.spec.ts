import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { json } from '../shop.fixture.ts';
import { asked, difference, graphOf, locationsOf, lockOf, type LockReading } from './locked-packages.fixture.ts';
import { readNpmLock } from './npm-lock.ts';

const NPM: LockReading = {
  read: readNpmLock,
  path: 'package-lock.json',
  own: { 'packages/a': '@w/a', 'packages/b': '@w/b' },
};

/** Hoisted and nested copies, a link to a member and one to a folder that is none, optional and bundled packages. */
const THREE = json({
  lockfileVersion: 3,
  packages: {
    '': { devDependencies: { tool: '^1.0.0' } },
    'packages/a': { dependencies: { left: '^1.0.0', '@w/b': '*' }, optionalDependencies: { native: '1' } },
    'packages/b': { dependencies: { right: '^2.0.0' }, peerDependencies: { shared: '*' } },
    'packages/b/node_modules/deep': { version: '9.0.0' },
    'node_modules/@w/a': { resolved: 'packages/a', link: true },
    'node_modules/@w/b': { resolved: 'packages/b', link: true },
    'node_modules/left': { version: '1.0.0', dependencies: { deep: '^1.0.0', vendored: '*' } },
    'node_modules/left/node_modules/deep': { version: '1.0.0', inBundle: true },
    'node_modules/deep': { version: '3.0.0', bin: { deep: 'cli.js' } },
    'node_modules/right': { version: '2.0.0', dependencies: { deep: '*' } },
    'node_modules/shared': { version: '4.0.0', peer: true },
    'node_modules/vendored': { resolved: 'third-party/vendored', link: true },
    'third-party/vendored': { dependencies: { right: '*' } },
    'node_modules/native': { version: '1.0.0', optional: true, os: ['linux'] },
    'node_modules/tool': { version: '1.0.0', bin: { 'run-tool': 'tool.js' } },
  },
});

const ONE = json({
  lockfileVersion: 1,
  dependencies: {
    left: {
      version: '1.0.0',
      requires: { deep: '^1.0.0' },
      dependencies: { deep: { version: '1.0.0', requires: { right: '*' } } },
    },
    deep: { version: '3.0.0' },
    right: { version: '2.0.0' },
    folder: { version: 'file:lib', requires: { right: '*' } },
  },
});

describe('npm lockfiles', () => {
  it('given a package, then what it gets is found where Node would find it, through links to folders that are no packages', () => {
    expect(locationsOf(NPM, THREE, 'packages/a')).toEqual([
      'node_modules/deep',
      'node_modules/left',
      'node_modules/left/node_modules/deep',
      'node_modules/native',
      'node_modules/right',
      'node_modules/vendored',
      'third-party/vendored',
    ]);
    expect(locationsOf(NPM, THREE, 'packages/b')).toEqual([
      'node_modules/deep',
      'node_modules/right',
      'node_modules/shared',
    ]);
  });

  it('given another version of a copy that one package has to itself, then only that one differs', () => {
    const other = THREE.replace('"version": "1.0.0",\n      "inBundle"', '"version": "1.0.1",\n      "inBundle"');
    expect(other).not.toBe(THREE);
    expect(difference(NPM, [THREE, other], 'packages/a')).toBe('deep changed');
    expect(difference(NPM, [THREE, other], 'packages/b')).toBeNull();
  });

  it('given marks of who else uses a package, then nothing differs', () => {
    const marked = THREE.replace('"peer": true', '"dev": true');
    expect(difference(NPM, [THREE, marked], 'packages/b')).toBeNull();
  });

  it('given version 1, then nested packages are found by their nearest folder upwards', () => {
    expect(locationsOf(NPM, ONE, '.', { left: '^1.0.0' })).toEqual([
      'node_modules/left',
      'node_modules/left/node_modules/deep',
      'node_modules/right',
    ]);
    expect(locationsOf(NPM, ONE, '.', { folder: 'file:lib' })).toEqual(['lib', 'node_modules/folder']);
  });

  it('given what the lockfile notes, then commands and declarations are compared with it', () => {
    const graph = graphOf(NPM, THREE);
    expect(graph.binaries('node_modules/tool')).toEqual(['run-tool']);
    expect(graph.inStep('.', asked({ tool: '^1.0.0' }))).toBe(true);
    expect(graph.inStep('.', asked({ tool: '^2.0.0' }))).toBe(false);
    expect(graph.inStep('.', asked({ tool: '^1.0.0', more: '*' }))).toBe(false);
  });

  it.each<[what: string, text: string | undefined, reason: string]>([
    ['nothing', undefined, 'too large or not text'],
    ['no JSON', '{', 'not a JSON object'],
    ['a version of tomorrow', json({ lockfileVersion: 4, packages: {} }), 'lockfile version 4'],
    ['no version at all', json({ packages: {} }), 'lockfile version undefined'],
    ['nesting without end', json({ lockfileVersion: 1, dependencies: nested(40) }), 'deeper than any install'],
  ])('given %s, then it is unreadable and says why', (_what, text, reason) => {
    expect(lockOf(NPM, text)).toMatchObject({ kind: 'unreadable', reason: expect.stringContaining(reason) });
  });

  it('law: what a package gets is closed under what each of these asks for, and nothing else is in it', () => {
    const name = fc.constantFrom('p', 'q', 'r', 's', 't');
    const entry = fc.record({ version: fc.constantFrom('1.0.0', '2.0.0'), needs: fc.array(name, { maxLength: 3 }) });
    const place = fc.array(name, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(place, entry), { maxLength: 20 }), name, (entries, start) => {
        const packages = Object.fromEntries(
          entries.map(([names, { version, needs }]) => [
            names.map((each) => `node_modules/${each}`).join('/'),
            { version, dependencies: Object.fromEntries(needs.map((each) => [each, '*'])) },
          ]),
        );
        const text = json({ lockfileVersion: 3, packages: { '': {}, ...packages } });
        const graph = graphOf(NPM, text);
        const got = new Set(locationsOf(NPM, text, '.', { [start]: '*' }));
        const asks = new Set([...got].flatMap((location) => graph.next(location)));
        const [first = ''] = graph.direct('.', asked({ [start]: '*' })).get(start) ?? [];
        expect(new Set([first, ...asks])).toEqual(got);
      }),
    );
  });
});

function nested(depth: number): unknown {
  let inner: unknown = {};
  for (let at = 0; at < depth; at += 1) inner = { a: { version: '1.0.0', dependencies: inner } };
  return inner;
}
