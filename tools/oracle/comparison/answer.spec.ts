import { describe, expect, it } from '@jest/globals';
import { ownerAmong, reachedFrom, rootOf } from './answer.ts';

describe('what is reached along edges', () => {
  const edges = [
    { from: 'b', to: 'a', passesOn: true },
    { from: 'c', to: 'b', passesOn: false },
    { from: 'd', to: 'c', passesOn: true },
    { from: 'a', to: 'b', passesOn: true },
  ];

  it('goes on through what passes on, in circles too, and ends behind tests', () => {
    expect([...reachedFrom({ made: ['a'], tested: [] }, edges)].sort()).toEqual(['a', 'b', 'c']);
  });

  it('goes nowhere from what is only tested', () => {
    expect([...reachedFrom({ made: [], tested: ['a'] }, edges)]).toEqual(['a']);
  });
});

describe('the owner of a path', () => {
  it('is the unit with the longest root, and else the root, if that is a unit', () => {
    const units = new Set(['libs', 'libs/cart']);
    expect(ownerAmong(units, 'libs/cart/src/a.ts')).toBe('libs/cart');
    expect(ownerAmong(units, 'libs/cartoon.ts')).toBe('libs');
    expect(ownerAmong(units, 'README.md')).toBeNull();
    expect(ownerAmong(new Set(['.']), 'README.md')).toBe('.');
  });
});

describe('a folder', () => {
  it.each([
    ['', '.'],
    ['.', '.'],
    ['./libs/cart/', 'libs/cart'],
  ])('%j is %j', (folder, root) => {
    expect(rootOf(folder)).toBe(root);
  });
});
