import { describe, expect, it } from '@jest/globals';
import { mayPass, parsePasswd } from './server-account.mjs';

describe('accounts', () => {
  it('are read from passwd lines; broken lines are not accounts', () => {
    const text = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n\nbroken:x:a:b:::\n+nis\n';
    expect(parsePasswd(text)).toEqual([
      { name: 'root', uid: 0, gid: 0 },
      { name: 'nobody', uid: 65534, gid: 65534 },
    ]);
  });

  it.each([
    ['the owner by the owner’s bit', 0o700, 7, 8, true],
    ['the owner not by the others’ bit', 0o077, 7, 8, false],
    ['the group by the group’s bit', 0o710, 1, 8, true],
    ['the group not by the others’ bit', 0o701, 1, 8, false],
    ['others by the others’ bit', 0o711, 1, 2, true],
    ['others not by the owner’s bit', 0o750, 1, 2, false],
  ])('pass through a directory: %s', (_case, mode, uid, gid, answer) => {
    expect(mayPass({ mode, uid, gid }, { uid: 7, gid: 8 })).toBe(answer);
  });
});
