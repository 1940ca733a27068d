import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { posix, win32 } from 'node:path';
import { staysBelow } from './artifact-name.ts';

describe('the name of an artifact', () => {
  it.each([
    'report.xml',
    'out/coverage/lcov.info',
    'out/ä ö.txt',
    '-rf',
    'a\nb.txt',
    `it's "odd"`,
    '...',
    'a..b/..c/d..',
    '.gitignore',
    '.github/x',
    'x.git/y',
    'C/x',
  ])('may be %j', (name) => {
    expect(staysBelow(name)).toBe(true);
  });

  it.each([
    '../etc/passwd',
    'a/../../b',
    'a/..',
    '..',
    '.',
    './a',
    'a/./b',
    '/etc/passwd',
    '//server/share',
    'a//b',
    'a/',
    '..\\..\\windows\\system32',
    'a\\..\\..\\b',
    '\\\\server\\share',
    'C:\\windows',
    'c:evil',
    '.git/config',
    'a/.git/hooks/post-checkout',
    '.GIT/config',
    'a\\.git\\config',
    'a\0.txt',
  ])('may not be %j', (name) => {
    expect(staysBelow(name)).toBe(false);
  });

  it('never leads out of where it is put, on any system', () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', '.git', 'C:', 'a', 'b.txt'), fc.string({ maxLength: 5 }));
    const names = fc
      .tuple(fc.array(part, { maxLength: 6 }), fc.constantFrom('/', '\\'))
      .map(([parts, by]) => parts.join(by));
    fc.assert(
      fc.property(names, (name) => {
        if (!staysBelow(name)) return;
        expect(posix.resolve('/place', name).startsWith('/place/')).toBe(true);
        expect(win32.resolve('D:\\place', name).startsWith('D:\\place\\')).toBe(true);
      }),
    );
  });
});
