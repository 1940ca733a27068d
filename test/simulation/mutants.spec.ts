import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { mutated } from './loading/mutate.mjs';
import { MUTANTS } from './mutants.ts';

const sourceOf = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

describe('the mutants', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '"%s" finds its places in the sources',
    (_name, mutant) => {
      for (const file of new Set(mutant.changes.map((change) => change.file))) {
        const source = sourceOf(file);
        expect(mutated(source, file, mutant)).not.toBe(source);
      }
    },
  );

  it('have names of their own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  it('given a place that is not there, or there twice, when the source is loaded, then that is an error', () => {
    const mutant = { name: 'made up', changes: [{ file: 'a.ts', find: 'x', replace: 'y' }], caughtBy: [] };
    expect(() => mutated('abc', 'a.ts', mutant)).toThrow('finds its place 0 times in a.ts');
    expect(() => mutated('x x', 'a.ts', mutant)).toThrow('finds its place 2 times in a.ts');
    expect(mutated('x x', 'b.ts', mutant)).toBe('x x');
  });
});
