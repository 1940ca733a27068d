import { describe, expect, it } from '@jest/globals';
import { TrustDomain } from '@delta-ci/contracts';
import { cacheScope, identityOf, type TriedChange } from './cache-scope.ts';

const [MAIN, SIDE, COMMIT] = ['refs/heads/main', 'refs/heads/side', 'a'.repeat(40)];
const SHOP = { repository: '/shop', identity: '1:2:3', tier: 'sandbox' } as const;
const scopeOf = (own: string, over: Partial<TriedChange> = {}) =>
  cacheScope(SHOP, { own, main: MAIN, uncommitted: false, ...over });

describe('what a local run may do with caches', () => {
  it.each<[string, string, Partial<TriedChange>, readonly string[], string]>([
    ['the main branch', MAIN, {}, ['trusted'], 'trusted'],
    ['the main branch, with changes', MAIN, { uncommitted: true }, [`ref:${MAIN}`, 'trusted'], `ref:${MAIN}`],
    ['another branch', SIDE, {}, [`ref:${SIDE}`, 'trusted'], `ref:${SIDE}`],
    ['another branch, with changes', SIDE, { uncommitted: true }, [`ref:${SIDE}`, 'trusted'], `ref:${SIDE}`],
    ['no branch', COMMIT, {}, [`ref:${COMMIT}`, 'trusted'], `ref:${COMMIT}`],
    ['a branch where nobody knows the main one', SIDE, { main: null }, [`ref:${SIDE}`, 'trusted'], `ref:${SIDE}`],
  ])('given %s is checked out, then what it leaves goes where it should', (_, own, over, reads, saves) => {
    const scope = scopeOf(own, over);
    expect(scope).toEqual({ ...SHOP, reads, saves });
    for (const domain of [...scope.reads, scope.saves]) expect(TrustDomain.safeParse(domain).success).toBe(true);
  });

  it('given two branches, then neither reads what the other leaves, unless it is the main one', () => {
    const [side, other] = [SIDE, 'refs/heads/other'].map((own) => scopeOf(own));
    expect(side?.reads).not.toContain(other?.saves);
    expect(scopeOf(MAIN).reads).not.toContain(side?.saves);
  });

  it('given the main branch with changes, then no branch reads what they leave, nor the main one without them', () => {
    const { saves } = scopeOf(MAIN, { uncommitted: true });
    for (const own of [MAIN, SIDE, COMMIT]) expect(scopeOf(own).reads).not.toContain(saves);
  });
});

describe('which directory a repository’s history lies in', () => {
  const given = { dev: 66_305n, ino: 12n, birthtimeNs: 1_700_000_000_000_000_001n };

  it('given the same disk under another number, then it is the same', () => {
    expect(identityOf({ ...given, dev: 66_306n })).toBe(identityOf(given));
  });

  it.each([
    ['inode', { ino: 13n }],
    ['birth', { birthtimeNs: 1_700_000_000_000_000_002n }],
  ])('given another %s, then it is another', (_, other) => {
    expect(identityOf({ ...given, ...other })).not.toBe(identityOf(given));
  });

  it('given no birth, then another disk has others, and none is taken for one with a birth', () => {
    const unborn = { ...given, birthtimeNs: 0n };
    const all = [unborn, { ...unborn, dev: 66_306n }, { ...unborn, ino: 13n }, given].map(identityOf);
    expect(new Set(all).size).toBe(4);
  });
});
