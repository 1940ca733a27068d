import { describe, expect, it } from '@jest/globals';
import { DETECTORS } from '../detectors/known-detectors.ts';
import { wantedPaths } from '../discover.ts';
import { snapshotOf, type Files } from '../planned-repository.fixture.ts';
import { SHOP } from '../shop.fixture.ts';
import { REALISTIC_TREES, fingerprintOf } from './taught.fixture.ts';

const edited = (files: Files, path: string): Files => ({ ...files, [path]: `${files[path] ?? ''}\n` });

describe('the fingerprint of a tree', () => {
  it.each([
    ['a manifest', 'packages/cart/package.json', false],
    ['a source', 'packages/cart/src/index.js', true],
    ['what a lockfile resolves', 'package-lock.json', true],
    ['a page', 'README.md', true],
  ])('given that %s changes, then it stays: %s, %s', (_, path, stays) => {
    expect(fingerprintOf(edited(SHOP, path)) === fingerprintOf(SHOP)).toBe(stays);
  });

  it('given a manifest at another place, or a lockfile that comes or goes, then it is another one', () => {
    const { 'package-lock.json': lock = '', ...without } = SHOP;
    expect(fingerprintOf(without)).not.toBe(fingerprintOf(SHOP));
    expect(fingerprintOf({ ...without, 'packages/package-lock.json': lock })).not.toBe(fingerprintOf(SHOP));
    const { 'packages/cart/package.json': manifest = '', ...others } = SHOP;
    expect(fingerprintOf({ ...others, 'packages/basket/package.json': manifest })).not.toBe(fingerprintOf(SHOP));
  });

  it('law: entries in another order have the same', () => {
    for (const [, files] of REALISTIC_TREES) {
      const turned = Object.fromEntries(Object.entries(files).reverse());
      expect(fingerprintOf(turned)).toBe(fingerprintOf(files));
    }
  });

  const concerning = (files: Files, paths: readonly string[]): string[] =>
    paths.filter((path) => fingerprintOf(edited(files, path)) !== fingerprintOf(files));

  it.each(REALISTIC_TREES)('given %s, then no source that a detector condenses is part of it', (_, files) => {
    const condensed = wantedPaths(snapshotOf(files).entries).filter((path) =>
      DETECTORS.some(({ condense }) => (condense?.(path, files[path] ?? '') ?? null) !== null),
    );
    expect(concerning(files, condensed)).toEqual([]);
  });

  it.each(REALISTIC_TREES)('given %s, then every manifest that a detector reads is part of it', (_, files) => {
    const read = snapshotOf(files).entries.filter(
      ({ path, type }) => type === 'file' && MANIFEST.test(path) && DETECTORS.some(({ wants }) => wants(path)),
    );
    const paths = read.map(({ path }) => path);
    expect(concerning(files, paths)).toEqual(paths);
  });
});

const MANIFEST =
  /(?:^|\/)(?:package\.json|go\.mod|Cargo\.toml|pyproject\.toml|pom\.xml|mix\.exs|Gemfile|composer\.json|Makefile)$/u;
