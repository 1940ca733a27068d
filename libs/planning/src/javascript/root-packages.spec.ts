import { describe, expect, it } from '@jest/globals';
import { probableCommands, usedOfRoot, wordsOf, type RootPackagesUser } from './root-packages.ts';

const NAMES = ['@types/node', 'eslint', 'eslint-plugin-order', 'husky', 'lodash', 'typescript', 'vitest', 'zod'];

/** What a member with these scripts uses of a root that declares all of `NAMES`, two of which others declare too. */
function used(scripts: string, more: Partial<RootPackagesUser> = {}, settings = ''): string[] {
  const root = {
    names: NAMES,
    commandsOf: probableCommands,
    claimed: new Set(['lodash', 'typescript']),
    settings: wordsOf([settings]),
  };
  const user = {
    declared: new Set<string>(),
    expected: new Set<string>(),
    words: wordsOf([scripts]),
    typescript: false,
    mayLoadTools: false,
  };
  return usedOfRoot(root, { ...user, ...more });
}

describe('packages of the root that a member uses', () => {
  /** Nobody else provides vitest and zod, so tests may import them; a linter's plugin comes with the linter. */
  const ANYONE = ['eslint-plugin-order', 'vitest', 'zod'];

  it('given that it runs nothing, then none', () => {
    expect(used('')).toEqual([]);
  });

  it('given scripts of its own, then what nobody else provides, and no tools that are only started', () => {
    expect(used('node --test')).toEqual(ANYONE);
  });

  it.each([
    ['eslint . --max-warnings=0', 'eslint'],
    ['node_modules/.bin/eslint .', 'eslint'],
    ['tsc --noEmit', 'typescript'],
    ['node -r lodash/fp x.js', 'lodash'],
    ['husky', 'husky'],
  ])('given that its scripts say "%s", then %s too', (script, name) => {
    expect(used(script)).toEqual(expect.arrayContaining([name, ...ANYONE]));
  });

  it('given tests whose imports nobody looked at, then tools that these may load, and none that are only started', () => {
    expect(used('node --test', { mayLoadTools: true })).toEqual(['eslint', ...ANYONE]);
  });

  it('given that it is compiled, then types too', () => {
    expect(used('node --test', { typescript: true })).toEqual(['@types/node', ...ANYONE]);
  });

  it('given that settings at the root name a package, then tools load it, also where others declare it', () => {
    expect(used('node --test', {}, "import { merge } from 'lodash/fp';")).toContain('lodash');
  });

  it('given what it declares itself, then not from the root; given a peer, then from there', () => {
    expect(used('node --test', { declared: new Set(['zod']) })).toEqual(['eslint-plugin-order', 'vitest']);
    expect(used('node --test', { expected: new Set(['lodash']) })).toContain('lodash');
  });
});
