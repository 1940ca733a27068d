import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { changedIn } from '../change-in-tree.fixture.ts';

const tree = readFileSync(new URL('../detectors/trees/php-packages.tree.txt', import.meta.url), 'utf8');
const { 'packages/broken/composer.json': _broken, ...PACKAGES } = filesOfTree(tree);
const jobs = changedIn(PACKAGES);
const SHOP = ['test', 'typecheck'];
const MONEY = ['lint-packages-money', 'test-packages-money'];

describe('a change among packages of PHP', () => {
  it.each<[what: string, path: string, from: string, to: string, jobs: readonly string[]]>([
    ['a source of the program', 'src/Cart.php', 'php', 'php // new', SHOP],
    [
      'a file of a package that it takes by path',
      'packages/money/pint.json',
      '{}',
      '{"preset":"psr12"}',
      [...MONEY, ...SHOP],
    ],
    ['a locked package', 'composer.lock', '"version": "3.6.0"', '"version": "3.6.1"', SHOP],
    ['what a locked package is said to be', 'composer.lock', '"Logs"', '"Logs and more"', []],
    [
      'which content the lockfile saw of a package by path',
      'composer.lock',
      '"reference": "77"',
      '"reference": "78"',
      [],
    ],
    ['what a manifest says to people', 'composer.json', 'The shop', 'A shop', []],
    ['what a manifest asks for', 'composer.json', '"^3.0"', '"^3.1"', SHOP],
  ])('given %s, then the jobs are right', (_what, path, from, to, expected) => {
    expect(jobs(path, from, to)).toEqual(expected.toSorted());
  });

  it('given a lockfile that cannot be read any more, then all that is installed from it runs', () => {
    expect(jobs('composer.lock', '"packages": [', '<<<<<<< ours')).toEqual(SHOP);
  });
});
