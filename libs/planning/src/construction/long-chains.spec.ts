import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Plan } from '@delta-ci/contracts';
import { planned, type Files } from '../planned-repository.fixture.ts';

/** Packages that each need the one before, and the plan of a change of the first. */
function planOfChain(count: number): Plan {
  const manifest = (at: number): string =>
    JSON.stringify({
      name: `@chain/p${at}`,
      scripts: { test: 'node --test', lint: 'eslint .' },
      dependencies: at === 0 ? {} : { [`@chain/p${at - 1}`]: '*' },
    });
  const members = Array.from({ length: count }, (_, at) => [`packages/p${at}/package.json`, manifest(at)] as const);
  const files: Files = {
    'package.json': JSON.stringify({ name: 'chain', private: true, workspaces: ['packages/*'] }),
    'packages/p0/index.js': 'one\n',
    ...Object.fromEntries(members),
  };
  return planned(files, { ...files, 'packages/p0/index.js': 'two\n' });
}

const linksOf = (plan: Plan): number =>
  [...plan.jobs, ...plan.units].reduce((sum, { explanation }) => sum + explanation.chain.length, 0);

describe('a chain of packages', () => {
  it('given a hundred, then each chain and sentence has all of it', () => {
    const last = planOfChain(100).units.find(({ id }) => id === 'packages/p99');
    expect(last?.explanation.chain).toHaveLength(3 + 2 * 99);
    expect(last?.explanation.sentence).not.toContain('and so on');
  });

  describe('given two thousand', () => {
    let plan: Plan;
    beforeAll(() => {
      plan = planOfChain(2_000);
    });

    it('then all run, and what is written grows with their number alone', () => {
      expect(plan.jobs).toHaveLength(4_000);
      expect(linksOf(plan)).toBeLessThan(250_000);
      expect(JSON.stringify(plan).length).toBeLessThan(30_000_000);
    });

    it('then the last is told by both ends of its path', () => {
      const { chain, sentence } = plan.units.find(({ id }) => id === 'packages/p1999')?.explanation ?? {};
      expect(chain?.[0]).toEqual({ kind: 'file', path: 'packages/p0/index.js', status: 'modified' });
      expect(chain?.at(-1)).toEqual({ kind: 'unit', unit: 'packages/p1999' });
      expect(sentence).toMatch(/^packages\/p1999 is affected because packages\/p0\/index\.js was modified/u);
      expect(sentence).toMatch(/packages\/p1999 depends on packages\/p1998 \(production\)\.$/u);
    });
  });
});
