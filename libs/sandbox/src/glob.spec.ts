import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileGlob } from './glob.ts';

const matches = (pattern: string, path: string): boolean | null => compileGlob(pattern)?.matches(path) ?? null;

describe('globs', () => {
  it.each([
    ['reports/a.xml', 'reports/a.xml', true],
    ['./reports//a.xml', 'reports/a.xml', true],
    ['*.xml', 'a.xml', true],
    ['*.xml', 'reports/a.xml', false],
    ['**/*.xml', 'a.xml', true],
    ['**/*.xml', 'a/b/c.xml', true],
    ['reports/**', 'reports/a/b', true],
    ['reports/**', 'other/a', false],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**/z', 'a/b/zz', false],
    ['?.txt', 'a.txt', true],
    ['?.txt', 'ab.txt', false],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b*', 'xxbxxaxx', false],
    ['{junit,coverage}/*.{xml,json}', 'coverage/a.json', true],
    ['{junit,coverage}/*.{xml,json}', 'coverage/a.txt', false],
    ['[a].txt', '[a].txt', true],
    ['**', 'anything/at/all', true],
  ] as const)('%s on %s: %s', (pattern, path, expected) => {
    expect(matches(pattern, path)).toBe(expected);
  });

  it('refuses to climb out, and alternatives beyond reason', () => {
    expect(compileGlob('../secret')).toBeNull();
    expect(compileGlob('a/{b,..}/c')).toBeNull();
    expect(compileGlob('{a,b}'.repeat(10))).toBeNull();
  });

  it('a pattern of stars takes time in proportion, not exponentially', () => {
    expect(matches(`${'*a'.repeat(200)}b`, 'a'.repeat(4_000))).toBe(false);
    expect(matches('**/'.repeat(200) + 'z', 'a/'.repeat(1_000) + 'y')).toBe(false);
  });

  it.each([
    ['reports/*.xml', 'reports', true],
    ['reports/*.xml', 'reports/deeper', false],
    ['reports/*.xml', 'node_modules', false],
    ['reports', 'reports', false],
    ['**/*.xml', 'node_modules/any', true],
    ['a/**', 'a', true],
    ['{a,b/c}/*.xml', 'b', true],
    ['{a,b/c}/*.xml', 'c', false],
  ] as const)('%s below %s: %s', (pattern, folder, expected) => {
    expect(compileGlob(pattern)?.mayMatchBelow(folder)).toBe(expected);
  });

  it('law: what matches lies below folders that are all said to lead on', () => {
    const part = fc.constantFrom('a', 'b', 'ab');
    const wild = fc.constantFrom('a', 'b', '*', 'a*', '**', '{a,b}', '?');
    fc.assert(
      fc.property(
        fc.array(wild, { minLength: 1, maxLength: 5 }),
        fc.array(part, { minLength: 1, maxLength: 5 }),
        (pattern, path) => {
          const glob = compileGlob(pattern.join('/'));
          if (glob?.matches(path.join('/')) !== true) return;
          const folders = path.map((_, at) => path.slice(0, at).join('/'));
          expect(folders.filter((folder) => !glob.mayMatchBelow(folder))).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('every path matches itself and **', () => {
    const part = fc.stringMatching(/^[a-zA-Z0-9._-]{1,8}$/).filter((each) => each !== '.' && each !== '..');
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const path = parts.join('/');
        return (
          matches(path, path) === true && matches('**', path) === true && matches(`**/${parts.at(-1)}`, path) === true
        );
      }),
    );
  });
});
