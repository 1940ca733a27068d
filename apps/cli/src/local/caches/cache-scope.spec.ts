import { describe, expect, it } from '@jest/globals';
import { TrustDomain } from '@delta-ci/contracts';
import { cacheScope } from './cache-scope.ts';

const [MAIN, SIDE, COMMIT] = ['refs/heads/main', 'refs/heads/side', 'a'.repeat(40)];

describe('what a local run may do with caches', () => {
  it.each([
    ['the main branch', MAIN, MAIN, ['trusted'], 'trusted'],
    ['another branch', SIDE, MAIN, [`ref:${SIDE}`, 'trusted'], `ref:${SIDE}`],
    ['no branch', COMMIT, MAIN, [`ref:${COMMIT}`, 'trusted'], `ref:${COMMIT}`],
    ['a branch where nobody knows the main one', SIDE, null, [`ref:${SIDE}`, 'trusted'], `ref:${SIDE}`],
  ])('given %s is checked out, then what it leaves goes where it should', (_, own, main, reads, saves) => {
    const scope = cacheScope('/shop', own, main);
    expect(scope).toEqual({ repository: '/shop', reads, saves });
    for (const domain of [...scope.reads, scope.saves]) expect(TrustDomain.safeParse(domain).success).toBe(true);
  });

  it('given two branches, then neither reads what the other leaves, unless it is the main one', () => {
    const [side, other] = [SIDE, 'refs/heads/other'].map((own) => cacheScope('/shop', own, MAIN));
    expect(side?.reads).not.toContain(other?.saves);
    expect(cacheScope('/shop', MAIN, MAIN).reads).not.toContain(side?.saves);
  });
});
