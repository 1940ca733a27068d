import { describe, expect, it } from '@jest/globals';
import { locationIn, packageDirectory, repositoryPath } from './locations.ts';

describe('places in the repository', () => {
  it.each([
    ['/workspace/packages/cart/a.js', '', 'packages/cart/a.js'],
    ['file:///workspace/a.js', 'packages/cart', 'a.js'],
    ['/var/lib/delta/r1/workspace/a.js', '', 'a.js'],
    ['test/a.js', 'packages/cart', 'packages/cart/test/a.js'],
    ['../money/./a.js', 'packages/cart', 'packages/money/a.js'],
    ['../../../etc/passwd', 'packages/cart', null],
    ['/etc/passwd', '', null],
    ['/workspace/../etc/passwd', '', null],
    ['/workspace/node_modules/x/a.js', '', null],
    ['/workspace/.venv/lib/python3.11/site-packages/x/a.py', '', null],
    ['/workspace/.git/config', '', null],
    ['node:internal/a.js', '', null],
    ['https://example.invalid/a.js', '', null],
    ['', '', null],
  ])('%s within "%s" is %s', (named, within, expected) => {
    expect(repositoryPath(named, within)).toBe(expected);
  });

  it('given a stack frame, then its place is found', () => {
    expect(locationIn('at x (file:///workspace/src/a.js:5:50)', '')).toEqual({ path: 'src/a.js', line: 5 });
    expect(locationIn('src/a.ts(12,5): error', 'packages/cart')).toEqual({ path: 'packages/cart/src/a.ts', line: 12 });
    expect(locationIn('nothing here', '')).toBeNull();
  });

  it("given npm's closing remarks, then the directory of the package is found", () => {
    const lines = (text: string) => [{ number: 1, text }];
    expect(packageDirectory(lines('npm error path /workspace/packages/cart'))).toBe('packages/cart');
    expect(packageDirectory(lines('npm error   in workspace: @shop/cart at location: /workspace/packages/cart'))).toBe(
      'packages/cart',
    );
    expect(packageDirectory(lines('npm error path /workspace/../..'))).toBe('');
  });
});
