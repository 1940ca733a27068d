import { describe, expect, it } from '@jest/globals';
import { difference, locationsOf, lockOf, type LockReading } from './locked-packages.fixture.ts';
import { readPnpmLock } from './pnpm-lock.ts';

/** Version 9: packages and what depends on peers apart. */
const NINE = `lockfileVersion: '9.0'
settings:
  autoInstallPeers: true
importers:
  .: {}
  packages/a:
    dependencies:
      left:
        specifier: ^1.0.0
        version: 1.0.0(peer@2.0.0)
      inner:
        specifier: workspace:*
        version: link:../b
  packages/b:
    devDependencies:
      right:
        specifier: 'catalog:'
        version: 3.0.0
packages:
  left@1.0.0: { resolution: { integrity: sha512-left } }
  peer@2.0.0: { resolution: { integrity: sha512-peer } }
  deep@4.0.0: { resolution: { integrity: sha512-deep } }
  right@3.0.0: { resolution: { integrity: sha512-right } }
snapshots:
  left@1.0.0(peer@2.0.0):
    dependencies: { peer: 2.0.0, deep: 4.0.0 }
  peer@2.0.0: {}
  deep@4.0.0: {}
  right@3.0.0: {}
`;

/** Version 6: keys begin with a slash and everything stands in one place. */
const SIX = `lockfileVersion: '6.0'
importers:
  packages/a:
    dependencies:
      left: { specifier: ^1.0.0, version: 1.0.0 }
packages:
  /left@1.0.0: { resolution: { integrity: sha512-left }, dependencies: { deep: 4.0.0 }, dev: false }
  /deep@4.0.0: { resolution: { integrity: sha512-deep }, dev: false }
`;

/** Version 5: a single package, with its dependencies at the top. */
const FIVE = `lockfileVersion: 5.4
specifiers: { left: ^1.0.0 }
dependencies: { left: 1.0.0 }
packages:
  /left/1.0.0: { resolution: { integrity: sha512-left } }
`;

const PNPM: LockReading = { read: readPnpmLock, path: 'pnpm-lock.yaml' };

const packagesOf = (text: string, folder: string): string[] => locationsOf(PNPM, text, folder);

describe('pnpm lockfiles', () => {
  it.each([
    ['9', NINE, 'packages/a', ['deep@4.0.0', 'left@1.0.0(peer@2.0.0)', 'peer@2.0.0']],
    ['9', NINE, 'packages/b', ['right@3.0.0']],
    ['6', SIX, 'packages/a', ['/deep@4.0.0', '/left@1.0.0']],
    ['5', FIVE, '.', ['/left/1.0.0']],
  ])(
    'given version %s, then the external packages of an importer are found through all levels',
    (_version, text, folder, expected) => {
      expect(packagesOf(text, folder)).toEqual(expected);
    },
  );

  it('given a change deep in one package, then only the importers that reach it differ', () => {
    const after = NINE.replace('sha512-deep', 'sha512-other');
    expect(difference(PNPM, [NINE, after], 'packages/a')).toBe('deep@4.0.0 changed');
    expect(difference(PNPM, [NINE, after], 'packages/b')).toBeNull();
  });

  it('given another setting, then every importer differs', () => {
    const after = NINE.replace('autoInstallPeers: true', 'autoInstallPeers: false');
    expect(difference(PNPM, [NINE, after], 'packages/b')).not.toBeNull();
  });

  it('given a document of tools before the lock itself, then the last document counts and the first is compared whole', () => {
    const two = (version: string): string => `---\nlockfileVersion: '9.0'\ntools: { pnpm: ${version} }\n---\n${NINE}`;
    expect(packagesOf(two('10.0.0'), 'packages/b')).toEqual(['right@3.0.0']);
    expect(difference(PNPM, [two('10.0.0'), two('10.0.1')], 'packages/b')).not.toBeNull();
  });

  it.each([
    ['no YAML', 'a: [', 'it is not YAML'],
    ['an unknown version', "lockfileVersion: '99.0'\n", 'lockfileVersion'],
    ['a list', '- a\n', 'no mapping'],
    ['aliases, which could multiply themselves', 'a: &a [x]\nb: [*a, *a]\n', 'not YAML'],
  ])('given %s, then it is unreadable and says why', (_what, text, reason) => {
    expect(lockOf(PNPM, text)).toMatchObject({
      kind: 'unreadable',
      reason: expect.stringContaining(reason),
    });
  });
});
