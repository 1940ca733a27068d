import { describe, expect, it } from '@jest/globals';
import { DEFAULT_JOB_LIMITS, type CacheRequest } from '@delta-ci/contracts';
import { DEFAULT_PLANNING_RULES } from '../default-rules.ts';
import { aUnit } from '../made-up-unit.fixture.ts';
import type { SnapshotEntry, Unit, UnitCache } from '../model.ts';
import { cachesOf, keyFileIds } from './caches.ts';
import { termsOf, type TermsGiven } from './job-terms.ts';

const PACKAGES: UnitCache = { type: 'deps', name: 'npm-packages', paths: ['~/.npm'], keyFiles: ['package-lock.json'] };
const IDS: Readonly<Record<string, string>> = {
  'package-lock.json': '1'.repeat(40),
  'a/package-lock.json': '2'.repeat(40),
  'b/package-lock.json': '3'.repeat(40),
};

function entriesOf(ids: Readonly<Record<string, string>>): SnapshotEntry[] {
  return Object.entries(ids).map(([path, blobId]) => ({ path, mode: '100644', type: 'file', blobId }));
}

interface Given {
  readonly ids?: Readonly<Record<string, string>>;
  readonly terms?: Partial<TermsGiven>;
}

function cached(units: readonly Unit[], { ids = IDS, terms = {} }: Given = {}): CacheRequest[] {
  const entries = entriesOf(ids);
  const given = { rules: DEFAULT_PLANNING_RULES, trust: 'trusted' as const, limits: DEFAULT_JOB_LIMITS, entries };
  return cachesOf(units, termsOf({ ...given, ...terms }), keyFileIds(units, entries));
}

const keeping = (caches: readonly UnitCache[], more: Partial<Unit> = {}): Unit => aUnit('a', { caches, ...more });
const keyOf = (cache: Partial<UnitCache>, given: Given = {}, more: Partial<Unit> = {}): string | undefined =>
  cached([keeping([{ ...PACKAGES, ...cache }], more)], given)[0]?.key;

describe('caches of a job', () => {
  it('given one key file, then its blob id ends the key, behind name, system, toolchain and place', () => {
    const toolchain = { name: 'node', version: '24', evidence: '.nvmrc' };
    expect(cached([keeping([PACKAGES], { toolchain })])).toEqual([
      { type: 'deps', key: `npm-packages-linux-node@24-4c20201d-${'1'.repeat(40)}`, paths: ['~/.npm'] },
    ]);
  });

  it('given anything else that decides its content, then it has another key', () => {
    const both = ['a/package-lock.json', 'b/package-lock.json'];
    const swapped = { ...IDS, 'a/package-lock.json': '3'.repeat(40), 'b/package-lock.json': '2'.repeat(40) };
    const toolchain = { name: 'node', version: '22', evidence: '' };
    const keys = [
      keyOf({}),
      keyOf({ name: 'pnpm-packages' }),
      keyOf({ paths: ['a/vendor'] }),
      keyOf({ keyFiles: both }),
      keyOf({ keyFiles: both }, { ids: swapped }),
      keyOf({ keyFiles: [...both, 'package-lock.json'] }),
      keyOf({}, { ids: { 'package-lock.json': '4'.repeat(40) } }),
      keyOf({}, { terms: { rules: { ...DEFAULT_PLANNING_RULES, os: 'darwin' } } }),
      keyOf({}, {}, { toolchain }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).not.toContain(undefined);
  });

  it('given key files in another order, then the key is the same', () => {
    const both = ['a/package-lock.json', 'b/package-lock.json'];
    expect(keyOf({ keyFiles: both.toReversed() })).toBe(keyOf({ keyFiles: both }));
  });

  it('given units that share a folder, then it is one cache by the files of both', () => {
    const units = ['a', 'b'].map((root) =>
      aUnit(root, { caches: [{ ...PACKAGES, keyFiles: [`${root}/package-lock.json`] }] }),
    );
    expect(cached(units).map(({ key }) => key)).toEqual([
      keyOf({ keyFiles: ['a/package-lock.json', 'b/package-lock.json'] }),
    ]);
  });

  it('given a change that is not trusted, then it asks under the same keys', () => {
    expect(cached([keeping([PACKAGES])], { terms: { trust: 'untrusted' } })).toEqual(cached([keeping([PACKAGES])]));
  });

  it.each<[string, Partial<UnitCache>]>([
    ['no file that decides its content', { keyFiles: [] }],
    ['a file that is not there', { keyFiles: ['yarn.lock'] }],
    ['a folder out of reach', { paths: ['~/../other'] }],
    ['a folder above', { paths: ['../vendor'] }],
  ])('given %s, then nothing is kept', (_, cache) => {
    expect(cached([keeping([{ ...PACKAGES, ...cache }])])).toEqual([]);
  });

  it('given more caches than a plan may hold for a job, then there are as many as it may', () => {
    const many = Array.from({ length: 30 }, (_, at) => ({ ...PACKAGES, name: `cache-${at}` }));
    expect(cached([keeping(many)])).toHaveLength(20);
  });
});
