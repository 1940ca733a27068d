import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileGlob, compileGlobListBelow } from './glob.ts';

describe('globs', () => {
  it.each([
    ['packages/*', 'packages/a', true],
    ['packages/*', 'packages/a/b', false],
    ['./packages/*/', 'packages/a', true],
    ['packages/**', 'packages', true],
    ['packages/**', 'packages/a/b/c', true],
    ['**/test/**', 'a/b/test/c', true],
    ['**/test/**', 'a/b/tests/c', false],
    ['**', 'anything/at/all', true],
    ['apps/{web,api}', 'apps/api', true],
    ['apps/{web,api}', 'apps/cli', false],
    ['{a,b/{c,d}}/x', 'b/d/x', true],
    ['src/?.js', 'src/a.js', true],
    ['src/?.js', 'src/ab.js', false],
    ['v[0-9]', 'v7', true],
    ['v[!0-9]', 'v7', false],
    ['v[!0-9]', 'vx', true],
    ['*.md', 'README.md', true],
    ['a*b*c', 'axxbxxc', true],
    ['a*b*c', 'axxbxx', false],
    ['.', '.', true],
    ['packages/a.b', 'packages/axb', false],
  ])('given %s, when matched with %s, then %s', (pattern, path, expected) => {
    expect(compileGlob(pattern)?.(path)).toBe(expected);
  });

  it.each([
    ['vendor/lib/src/*.c', 'vendor/lib', true],
    ['vendor/*/src/*.c', 'vendor/lib', true],
    ['vendor/lib', 'vendor/lib', false],
    ['vendor/lib/**', 'vendor/lib', true],
    ['vendor/**', 'vendor/lib', true],
    ['**/*.md', 'vendor/lib', true],
    ['vendor/other/**', 'vendor/lib', false],
    ['*.md', 'vendor', false],
    ['{a,vendor}/x', 'vendor', true],
    ['!vendor/**', 'vendor', false],
    ['@(vendor)/x', 'vendor', true],
  ])('given %s, when asked for what lies below %s, then %s', (pattern, folder, expected) => {
    expect(compileGlobListBelow([pattern], 'matches')(folder)).toBe(expected);
  });

  it('law: what a pattern matches below a folder is expected there', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const part = fc.oneof(name, fc.constantFrom('*', '**', '?', '{a,b}', '[!a]'));
    const path = fc.array(name, { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), path, fc.nat(3), (parts, names, depth) => {
        const pattern = parts.join('/');
        fc.pre(compileGlob(pattern)?.(names.join('/')) === true);
        const folder = names.slice(0, 1 + (depth % (names.length - 1))).join('/');
        expect(compileGlobListBelow([pattern], 'never')(folder)).toBe(true);
      }),
    );
  });

  it.each(['!(a|b)', '@(x)', '{a,b}'.repeat(9)])(
    'given %s, which is more than is read, then it is refused',
    (pattern) => {
      expect(compileGlob(pattern)).toBeNull();
    },
  );

  it('law: a path matches itself, and one star matches any single name', () => {
    const name = fc.stringMatching(/^[a-z0-9._-]{1,12}$/u).filter((each) => each !== '.' && each !== '..');
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 6 }), (names) => {
        const path = names.join('/');
        expect(compileGlob(path)?.(path)).toBe(true);
        expect(compileGlob(names.map(() => '*').join('/'))?.(path)).toBe(true);
        expect(compileGlob('**')?.(path)).toBe(true);
      }),
    );
  });

  it('given a pattern made to explode a matcher that tries every way, then it answers all the same', () => {
    expect(compileGlob('*a'.repeat(200))?.('a'.repeat(4_000) + 'b')).toBe(false);
    expect(compileGlob('**/x/'.repeat(200))?.('x/'.repeat(500) + 'y')).toBe(false);
  });

  it('given braces without end, then they are refused after a bounded number of steps', () => {
    expect(compileGlob('{a}'.repeat(300_000))).toBeNull();
    expect(compileGlob('{a,b}'.repeat(8) + '{a}'.repeat(1_300))).toBeNull();
    expect(compileGlob('{a,b}'.repeat(8))?.('abababab')).toBe(true);
    expect(compileGlob('{a,b}'.repeat(9))).toBeNull();
  });
});
