import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TrustDomain, type Change, type Repository } from '@delta-ci/contracts';
import { cacheScope } from './cache-scope.ts';

type Ask = Pick<Change, 'kind' | 'trust' | 'ref' | 'pullRequest'>;

const REPOSITORY: Pick<Repository, 'defaultBranch'> = { defaultBranch: 'main' };
const scopeOf = (ask: Partial<Ask>) =>
  cacheScope({ kind: 'push', trust: 'trusted', ref: 'refs/heads/main', pullRequest: null, ...ask }, REPOSITORY);

const asks = fc.record({
  kind: fc.constantFrom<Ask['kind']>('push', 'pull_request', 'manual'),
  trust: fc.constantFrom<Ask['trust']>('trusted', 'untrusted'),
  ref: fc.oneof(
    fc.constantFrom('refs/heads/main', 'refs/heads/mine', 'refs/pull/7/head', 'trusted', 'main', 'ref:refs/heads/main'),
    fc.string({ minLength: 1, maxLength: 1_000, unit: 'grapheme' }).filter((ref) => ref.length <= 1_000),
  ),
  pullRequest: fc.option(fc.integer({ min: 1, max: 100 })),
});

describe('what a run may do with caches', () => {
  it.each<[string, Partial<Ask>, ReturnType<typeof cacheScope>]>([
    ['the default branch reads and saves for all', {}, { reads: ['trusted'], saves: 'trusted' }],
    [
      'a pull request of the repository reads its own first, and saves for itself',
      { ref: 'refs/pull/7/head', pullRequest: 7 },
      { reads: ['ref:refs/pull/7/head', 'trusted'], saves: 'ref:refs/pull/7/head' },
    ],
    [
      'another branch does as well',
      { ref: 'refs/heads/mine' },
      { reads: ['ref:refs/heads/mine', 'trusted'], saves: 'ref:refs/heads/mine' },
    ],
    [
      'a pull request whose branch is called like the default one is no default branch',
      { pullRequest: 7 },
      { reads: ['ref:refs/heads/main', 'trusted'], saves: 'ref:refs/heads/main' },
    ],
    [
      'a stranger reads what the default branch left, and saves nothing',
      { trust: 'untrusted', ref: 'refs/pull/8/head', pullRequest: 8 },
      { reads: ['trusted'], saves: null },
    ],
    [
      'a stranger who says the default branch is still one',
      { trust: 'untrusted' },
      { reads: ['trusted'], saves: null },
    ],
    [
      'a run that a person asked for names its ref and its commit apart, and saves nothing',
      { kind: 'manual' },
      { reads: ['trusted'], saves: null },
    ],
  ])('%s', (_, ask, scope) => {
    expect(scopeOf(ask)).toEqual(scope);
  });

  it('nothing that an untrusted run does is ever given to anybody', () => {
    fc.assert(fc.property(asks, (ask) => ask.trust === 'trusted' || scopeOf(ask).saves === null));
  });

  it('nor what a run does whose commit a person named', () => {
    fc.assert(fc.property(asks, (ask) => ask.kind !== 'manual' || scopeOf(ask).saves === null));
  });

  it('what is saved is given to the same ref alone, unless the default branch saved it', () => {
    fc.assert(
      fc.property(asks, asks, (writer, reader) => {
        const { saves } = scopeOf(writer);
        if (saves === null || !scopeOf(reader).reads.includes(saves)) return true;
        const byDefaultBranch =
          writer.trust === 'trusted' && writer.ref === 'refs/heads/main' && writer.pullRequest === null;
        return byDefaultBranch || (reader.trust === 'trusted' && reader.ref === writer.ref);
      }),
    );
  });

  it('whoever saves reads it again, and every domain is one of the contract', () => {
    fc.assert(
      fc.property(asks, (ask) => {
        const { reads, saves } = scopeOf(ask);
        expect(saves === null || reads.includes(saves)).toBe(true);
        for (const domain of reads) expect(TrustDomain.safeParse(domain).success).toBe(true);
      }),
    );
  });
});
